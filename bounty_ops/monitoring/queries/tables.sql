-- Every table and materialized view that belongs to users, without opening any: facts of the
-- catalogs and counters of the statistics system. The whole row of the statistics view goes
-- through jsonb, so that a column of a newer major is simply missing on an older one.
SELECT c.oid,
       n.nspname,
       c.relname,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                      ELSE 'materialized view' END,
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END,
       block.size * CASE WHEN c.relkind = 'p' THEN 0 ELSE c.relpages END::bigint,
       block.size * coalesce((SELECT pg_catalog.sum(ic.relpages)
                                FROM pg_catalog.pg_index AS i
                                JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
                               WHERE i.indrelid = c.oid AND ic.relkind = 'i'), 0)::bigint,
       block.size * coalesce((SELECT pg_catalog.sum(tc.relpages)
                                FROM pg_catalog.pg_class AS tc
                               WHERE tc.oid = c.reltoastrelid
                                  OR tc.oid IN (SELECT ti.indexrelid
                                                  FROM pg_catalog.pg_index AS ti
                                                 WHERE ti.indrelid = c.reltoastrelid)), 0)::bigint,
       pg_catalog.to_jsonb(s)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::bigint AS size) AS block
  LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
 WHERE c.relkind IN ('r', 'p', 'm')
   AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname !~ '^pg_(toast|temp)'
