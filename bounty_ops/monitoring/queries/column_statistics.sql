-- What the planner knows about the named columns, wherever they are; the view shows it only of
-- columns that the role may read. For `moments` also the earliest value it remembers (seconds
-- since 1970) and the share of the remembered values that have passed. What lies beyond the years
-- 1 to 9999 is as good as infinite: a date may be one that no timestamp can hold.
SELECT s.schemaname::text,
       s.tablename::text,
       s.attname::text,
       s.avg_width,
       s.null_frac::float8,
       s.n_distinct::float8,
       seen.earliest,
       seen.past
  FROM pg_catalog.pg_stats AS s
  CROSS JOIN LATERAL (
      SELECT pg_catalog.min(moment) AS earliest,
             pg_catalog.avg((moment < extract(epoch FROM pg_catalog.clock_timestamp()))::integer)
                 ::float8 AS past
        FROM (SELECT CASE WHEN bound ~ '^([0-9]{5,}-.*|infinity)$' THEN 'infinity'::float8
                          WHEN bound ~ '( BC|^-infinity)$' THEN '-infinity'::float8
                          WHEN bound ~ '^[0-9]{4}-'
                          THEN extract(epoch FROM bound::timestamptz)::float8 END AS moment
                FROM pg_catalog.unnest(
                    CASE WHEN s.schemaname || '.' || s.tablename || '.' || s.attname
                              = ANY (%(moments)s)
                         THEN coalesce(s.histogram_bounds::text::text[], '{}')
                              || coalesce(s.most_common_vals::text::text[], '{}') END) AS bound
             ) AS bounds
  ) AS seen
 WHERE s.attname = ANY (%(names)s) AND NOT s.inherited
   AND s.schemaname NOT IN ('pg_catalog', 'information_schema')
