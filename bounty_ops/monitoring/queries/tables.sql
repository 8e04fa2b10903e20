-- What a table is, which changes only with the catalogs: every table and materialized view that
-- belongs to users, without opening any. The sizes are estimates, as old as the last VACUUM.
WITH block AS (
    SELECT pg_catalog.current_setting('block_size')::bigint AS size
), index_pages AS (
    SELECT i.indrelid AS table_oid, pg_catalog.sum(ic.relpages)::bigint AS pages
      FROM pg_catalog.pg_index AS i
      JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
     WHERE ic.relkind = 'i'
     GROUP BY i.indrelid
)
SELECT c.oid::bigint,
       n.nspname::text,
       c.relname::text,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                      ELSE 'materialized view' END,
       (SELECT pg_catalog.array_agg(o) FROM pg_catalog.unnest(c.reloptions) AS o
         WHERE o LIKE 'autovacuum%%'),
       EXISTS (SELECT FROM pg_catalog.pg_constraint AS fk
                WHERE fk.confrelid = c.oid AND fk.contype = 'f'),
       block.size * CASE WHEN c.relkind = 'p' THEN 0 ELSE c.relpages END,
       block.size * coalesce(own.pages, 0),
       block.size * (coalesce(toast.relpages, 0) + coalesce(toasts.pages, 0))
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  CROSS JOIN block
  LEFT JOIN index_pages AS own ON own.table_oid = c.oid
  LEFT JOIN pg_catalog.pg_class AS toast ON toast.oid = c.reltoastrelid
  LEFT JOIN index_pages AS toasts ON toasts.table_oid = c.reltoastrelid
 WHERE c.relkind IN ('r', 'p', 'm') AND c.oid >= 16384 AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_(toast|temp)'
