-- Where pg_stat_statements is installed, which version, and whether this role may read it.
SELECT n.nspname,
       e.extversion,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements'
