-- What an index is, which changes only with the catalogs, without opening any: pg_get_indexdef and
-- pg_get_expr would open the table and wait behind a lock on it. Two indexes are compared by the
-- signatures of their keys (column or expression, operator class, collation, direction) and of
-- their predicate. Positions in the source text differ between equal expressions, so they are
-- taken out first.
SELECT c.oid::bigint,
       t.oid::bigint,
       n.nspname::text,
       t.relname::text,
       c.relname::text,
       am.amname::text,
       i.indisunique,
       i.indisprimary,
       con.conname::text,
       i.indisvalid AND i.indisready,
       i.indisreplident,
       EXISTS (SELECT FROM pg_catalog.pg_constraint AS fk
                WHERE fk.conindid = c.oid AND fk.contype = 'f'),
       c.relkind = 'I',
       i.indpred IS NOT NULL,
       keys.names,
       keys.signatures,
       keys.included,
       CASE WHEN i.indpred IS NOT NULL
            THEN pg_catalog.md5(pg_catalog.regexp_replace(
                i.indpred::text, ':location -?[0-9]+', '', 'g')) END,
       --15: i.indnullsnotdistinct,
       false, --<15
       c.relpages::bigint * pg_catalog.current_setting('block_size')::bigint,
       (SELECT o.option_value::integer
          FROM pg_catalog.pg_options_to_table(c.reloptions) AS o
         WHERE o.option_name = 'fillfactor')
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
  LEFT JOIN pg_catalog.pg_constraint AS con
         ON con.conindid = c.oid AND con.conrelid = t.oid AND con.contype IN ('p', 'u', 'x')
  CROSS JOIN LATERAL (
      SELECT coalesce(pg_catalog.array_agg(a.attname::text ORDER BY k.at)
                          FILTER (WHERE k.at <= i.indnkeyatts), '{}') AS names,
             coalesce(pg_catalog.array_agg(
                 pg_catalog.concat_ws('/', i.indkey[k.at - 1],
                     CASE WHEN i.indkey[k.at - 1] = 0 THEN pg_catalog.md5(
                         pg_catalog.regexp_replace(
                             i.indexprs::text, ':location -?[0-9]+', '', 'g')) END,
                     i.indclass[k.at - 1], i.indcollation[k.at - 1], i.indoption[k.at - 1])
                 ORDER BY k.at) FILTER (WHERE k.at <= i.indnkeyatts), '{}') AS signatures,
             coalesce(pg_catalog.array_agg(a.attname::text ORDER BY k.at)
                          FILTER (WHERE k.at > i.indnkeyatts), '{}') AS included
        FROM pg_catalog.generate_series(1, i.indnatts) AS k(at)
        LEFT JOIN pg_catalog.pg_attribute AS a
               ON a.attrelid = t.oid AND a.attnum = i.indkey[k.at - 1]
                  AND i.indkey[k.at - 1] <> 0
  ) AS keys
 WHERE t.relkind IN ('r', 'p', 'm')
   AND t.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname !~ '^pg_(toast|temp)'
