SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized_view' END, ARRAY[c.relname::text],
       'pg_class', c.oid, 0,
       pg_catalog.jsonb_build_object(
         'definition', pg_catalog.pg_get_viewdef(c.oid),
         'populated', CASE WHEN c.relkind = 'm' THEN
                           CASE WHEN c.relispopulated THEN 'yes' ELSE 'no' END END,
         'storage_parameters', (SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE "C")
                                  FROM pg_catalog.unnest(c.reloptions) o),
         'access_method', (SELECT am.amname FROM pg_catalog.pg_am am
                            WHERE am.oid = c.relam AND am.amname <> 'heap')),
       pg_catalog.jsonb_build_object(
         'columns', (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', '
                                                  ORDER BY a.attnum)
                       FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
  FROM relation c
 WHERE c.relkind IN ('v', 'm')
