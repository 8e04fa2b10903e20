-- Whether the role may read all of a table: without that, pg_stats does not show every column, and
-- only who was given bounty_ops.column_statistics() sees them all the same.
SELECT c.oid::bigint, pg_catalog.has_table_privilege(c.oid, 'SELECT') OR EXISTS (
           SELECT FROM pg_catalog.pg_proc AS p
             JOIN pg_catalog.pg_namespace AS m ON m.oid = p.pronamespace
            WHERE m.nspname = 'bounty_ops' AND p.proname = 'column_statistics' AND p.pronargs = 0
              AND p.prosecdef
              AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
              AND pg_catalog.has_schema_privilege(m.oid, 'USAGE'))
  FROM pg_catalog.pg_class AS c
 WHERE c.relkind IN ('r', 'p', 'm') AND c.oid >= 16384 AND c.relpersistence <> 't'
