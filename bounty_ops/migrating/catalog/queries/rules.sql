SELECT 'rule', ARRAY[c.relname::text, r.rulename::text], 'pg_rewrite', r.oid, 0,
       pg_catalog.jsonb_build_object(
         'definition', pg_catalog.pg_get_ruledef(r.oid),
         'enabled', CASE r.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                                      WHEN 'A' THEN 'always' ELSE 'enabled' END),
       '{}'::pg_catalog.jsonb
  FROM relation c
  JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
 WHERE r.rulename <> '_RETURN'
