-- The public schema is made by initdb: up to PostgreSQL 14 its owner is whatever the bootstrap
-- superuser is called, and pg_dump leaves it so.
SELECT pg_catalog.format('%I: owner %s', n.nspname,
         CASE WHEN n.nspname = 'public' AND n.nspowner = 10 THEN '(bootstrap superuser)'
              ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(n.nspowner)) END)
  FROM pg_catalog.pg_namespace n
 WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                      AND d.objid = n.oid AND d.deptype = 'e')
