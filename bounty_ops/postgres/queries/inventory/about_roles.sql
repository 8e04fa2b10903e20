-- Roles belong to the server, not to the database: made anew for the copy, never compared.
SELECT pg_catalog.jsonb_build_object(
         'name', r.rolname,
         'superuser', r.rolsuper,
         'bypass_row_security', r.rolbypassrls,
         'inherits', r.rolinherit,
         'member_of', ARRAY(SELECT g.rolname::text
                              FROM pg_catalog.pg_auth_members m
                              JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
                             WHERE m.member = r.oid ORDER BY 1))
  FROM pg_catalog.pg_roles r
 WHERE NOT pg_catalog.starts_with(r.rolname::text, 'pg_')
