-- Who owns what, and who may do what with it beyond its owner. Default privileges count like
-- granted ones: what matters is who may.
, object (class, oid, sub, owner, kind, acl) AS (
    SELECT 'pg_class', c.oid, 0, c.relowner,
           CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relacl
      FROM relation c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'pg_class', c.oid, a.attnum, NULL, 'c', a.attacl
      FROM relation c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
     WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'pg_proc', p.oid, 0, p.proowner, 'f', p.proacl
      FROM pg_catalog.pg_proc p JOIN space ON space.oid = p.pronamespace
    UNION ALL
    SELECT 'pg_type', t.oid, 0, t.typowner, 'T', t.typacl
      FROM pg_catalog.pg_type t JOIN space ON space.oid = t.typnamespace
    UNION ALL
    SELECT 'pg_statistic_ext', s.oid, 0, s.stxowner, NULL, NULL
      FROM pg_catalog.pg_statistic_ext s JOIN space ON space.oid = s.stxnamespace
)
SELECT o.class, o.oid, o.sub, pg_catalog.pg_get_userbyid(o.owner),
       (SELECT pg_catalog.jsonb_object_agg(g.grantee, g.privileges)
          FROM (SELECT CASE WHEN x.grantee = 0 THEN 'PUBLIC'
                            ELSE pg_catalog.pg_get_userbyid(x.grantee)::text END,
                       pg_catalog.string_agg(x.privilege_type
                         || CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, ', '
                         ORDER BY x.privilege_type COLLATE "C")
                  FROM pg_catalog.aclexplode(CASE
                         WHEN o.kind = 'c' THEN o.acl
                         WHEN o.kind IS NOT NULL
                         THEN coalesce(o.acl, pg_catalog.acldefault(o.kind, o.owner)) END) x
                 WHERE x.grantee IS DISTINCT FROM o.owner
                 GROUP BY x.grantee) AS g (grantee, privileges)),
       (SELECT a.attname::text FROM pg_catalog.pg_attribute a
         WHERE o.class = 'pg_class' AND a.attrelid = o.oid AND a.attnum = o.sub AND o.sub > 0)
  FROM object o
