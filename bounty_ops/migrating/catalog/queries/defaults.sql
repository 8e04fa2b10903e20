SELECT 'default', ARRAY[c.relname::text, a.attname::text], 'pg_attrdef', d.oid, 0,
       pg_catalog.jsonb_build_object(
         'expression', pg_catalog.pg_get_expr(d.adbin, d.adrelid)),
       '{}'::pg_catalog.jsonb
  FROM relation c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
  JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p', 'f', 'v')
   AND NOT a.attisdropped AND a.attgenerated = ''
   AND (a.attislocal OR a.attinhcount = 0)
