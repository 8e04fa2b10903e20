-- Whether the role may read all of a table: without that, pg_stats does not show every column.
SELECT c.oid::bigint, pg_catalog.has_table_privilege(c.oid, 'SELECT')
  FROM pg_catalog.pg_class AS c
 WHERE c.relkind IN ('r', 'p', 'm') AND c.oid >= 16384 AND c.relpersistence <> 't'
