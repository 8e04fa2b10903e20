SELECT 'trigger', ARRAY[c.relname::text, g.tgname::text], 'pg_trigger', g.oid, 0,
       pg_catalog.jsonb_build_object(
         'definition', pg_catalog.pg_get_triggerdef(g.oid),
         'enabled', CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                                     WHEN 'A' THEN 'always' ELSE 'enabled' END),
       '{}'::pg_catalog.jsonb
  FROM relation c
  JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid
 WHERE NOT g.tgisinternal AND g.tgparentid = 0
