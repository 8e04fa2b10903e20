-- Every table and materialized view that belongs to users, without opening any: facts of the
-- catalogs and counters of the statistics system. The whole row of the statistics view goes
-- through jsonb, so that a column of a newer major is simply missing on an older one.
WITH block AS (
    SELECT pg_catalog.current_setting('block_size')::bigint AS size
), index_pages AS (
    SELECT i.indrelid AS table_oid, pg_catalog.sum(ic.relpages)::bigint AS pages
      FROM pg_catalog.pg_index AS i
      JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
     WHERE ic.relkind = 'i'
     GROUP BY i.indrelid
)
SELECT c.oid,
       n.nspname,
       c.relname,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                      ELSE 'materialized view' END,
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END,
       block.size * CASE WHEN c.relkind = 'p' THEN 0 ELSE c.relpages END,
       block.size * coalesce(own.pages, 0),
       block.size * (coalesce(toast.relpages, 0) + coalesce(toasts.pages, 0)),
       pg_catalog.to_jsonb(s)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  CROSS JOIN block
  LEFT JOIN index_pages AS own ON own.table_oid = c.oid
  LEFT JOIN pg_catalog.pg_class AS toast ON toast.oid = c.reltoastrelid
  LEFT JOIN index_pages AS toasts ON toasts.table_oid = c.reltoastrelid
  LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
 WHERE c.relkind IN ('r', 'p', 'm')
   AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname !~ '^pg_(toast|temp)'
