-- Of the whole database. Without versions: every server has a default of its own.
SELECT 'extension', ARRAY[e.extname::text], 'pg_extension', e.oid, 0,
       pg_catalog.jsonb_build_object('schema', n.nspname),
       pg_catalog.jsonb_build_object('version', e.extversion)
  FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname <> 'plpgsql'
