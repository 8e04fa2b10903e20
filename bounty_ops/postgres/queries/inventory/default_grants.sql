SELECT pg_catalog.format('%s%s of type %s: %s',
         pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.defaclrole)),
         (SELECT pg_catalog.format(' in schema %I', n.nspname) FROM pg_catalog.pg_namespace n
           WHERE n.oid = a.defaclnamespace),
         a.defaclobjtype,
         (SELECT pg_catalog.string_agg(item::text, ' ' ORDER BY item::text COLLATE "C")
            FROM pg_catalog.unnest(a.defaclacl) item))
  FROM pg_catalog.pg_default_acl a
