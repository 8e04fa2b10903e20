-- The same as in column_statistics.sql, from the function that shows it to a role that may read no
-- column. `moments` are the values that the planner remembers of a date or a timestamp, as seconds
-- since 1970.
SELECT s.schemaname::text,
       s.tablename::text,
       s.attname::text,
       s.avg_width,
       s.null_frac::float8,
       s.n_distinct::float8,
       seen.earliest,
       seen.past
  FROM bounty_ops.column_statistics() AS s
  CROSS JOIN LATERAL (
      SELECT pg_catalog.min(moment) AS earliest,
             pg_catalog.avg((moment < extract(epoch FROM pg_catalog.clock_timestamp()))::integer)
                 ::float8 AS past
        FROM pg_catalog.unnest(
                 CASE WHEN s.schemaname || '.' || s.tablename || '.' || s.attname
                           = ANY (%(moments)s) THEN s.moments END) AS moment
  ) AS seen
 WHERE s.attname = ANY (%(names)s) AND NOT s.inherited
