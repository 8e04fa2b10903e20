SELECT 'policy', ARRAY[c.relname::text, p.polname::text], 'pg_policy', p.oid, 0,
       pg_catalog.jsonb_build_object(
         'as', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
         'for', CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
                              WHEN 'd' THEN 'delete' ELSE 'all' END,
         'to', (SELECT pg_catalog.string_agg(CASE WHEN r = 0 THEN 'public'
                         ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r)) END, ', '
                         ORDER BY pg_catalog.pg_get_userbyid(r) COLLATE "C")
                  FROM pg_catalog.unnest(p.polroles) r),
         'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
         'with check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)),
       '{}'::pg_catalog.jsonb
  FROM relation c
  JOIN pg_catalog.pg_policy p ON p.polrelid = c.oid
