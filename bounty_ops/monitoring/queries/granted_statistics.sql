-- Whether the role was given bounty_ops.column_statistics(), which shows of all columns what
-- pg_stats shows only to those who may read them. One that runs with the rights of its caller
-- would show nothing more, and is nothing of ours.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_proc AS p
      JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
     WHERE n.nspname = 'bounty_ops' AND p.proname = 'column_statistics' AND p.pronargs = 0
       AND p.prosecdef
       AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
       AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'))
