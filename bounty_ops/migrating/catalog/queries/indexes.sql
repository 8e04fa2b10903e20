SELECT 'index', ARRAY[x.relname::text], 'pg_class', x.oid, 0,
       pg_catalog.jsonb_build_object(
         'definition', pg_catalog.pg_get_indexdef(x.oid),
         'validity', CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN 'valid'
                          ELSE 'invalid' END,
         'clustered', CASE WHEN i.indisclustered THEN 'clustered' END,
         'statistics_target', (SELECT pg_catalog.string_agg(
                                        pg_catalog.format('%s of %s', a.attstattarget, a.attnum),
                                        ', ' ORDER BY a.attnum)
                                 FROM pg_catalog.pg_attribute a
                                WHERE a.attrelid = x.oid AND a.attstattarget >= 0)),
       pg_catalog.jsonb_build_object(
         'table', c.relname,
         'method', (SELECT am.amname FROM pg_catalog.pg_am am WHERE am.oid = x.relam),
         'unique', CASE WHEN i.indisunique THEN 'yes' END,
         'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid),
         'expressions', pg_catalog.pg_get_expr(i.indexprs, i.indrelid))
  FROM relation c
  JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
 WHERE c.relkind IN ('r', 'p', 'm')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                    WHERE k.conindid = x.oid AND k.contype IN ('p', 'u', 'x'))
