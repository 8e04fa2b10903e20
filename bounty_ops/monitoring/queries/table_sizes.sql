-- Opens each of the given tables (ACCESS SHARE), with its indexes and its TOAST table. A table
-- that was dropped meanwhile has NULL for its sizes.
SELECT c.oid,
       pg_catalog.pg_total_relation_size(c.oid),
       pg_catalog.pg_indexes_size(c.oid),
       CASE WHEN c.reltoastrelid = 0 THEN 0
            ELSE pg_catalog.pg_total_relation_size(c.reltoastrelid) END
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = ANY (%(oids)s::oid[])
