SELECT pg_catalog.format('%I.%I: %I %s', n.nspname, c.relname, p.polname,
         pg_catalog.concat_ws(', ',
         CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
         CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
                       WHEN 'd' THEN 'delete' ELSE 'all' END,
         'to ' || (SELECT pg_catalog.string_agg(name, ' ' ORDER BY name COLLATE "C")
                     FROM (SELECT CASE WHEN r = 0 THEN 'public'
                                  ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r)) END
                             FROM pg_catalog.unnest(p.polroles) r) AS roles (name)),
         'using ' || pg_catalog.pg_get_expr(p.polqual, p.polrelid),
         'with check ' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)))
  FROM pg_catalog.pg_policy p
  JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
