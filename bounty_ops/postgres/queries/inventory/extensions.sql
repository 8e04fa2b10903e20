-- Without their version: a restore installs the default one of its server. Without plpgsql, which
-- every new database has.
SELECT pg_catalog.format('%I: schema %I', e.extname, n.nspname)
  FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname <> 'plpgsql'
