-- One line an object and grantee, only where the privileges are not the default ones. Members of
-- extensions are left out: their privileges are the extension's.
WITH object (class, oid, identity, owner, kind, acl) AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid,
           pg_catalog.format('%s %I.%I',
             CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, n.nspname, c.relname),
           c.relowner, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relacl
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.oid >= 16384
       AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
    UNION ALL
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid,
           pg_catalog.format('column %I.%I.%I', n.nspname, c.relname, a.attname),
           c.relowner, 'c', a.attacl
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.oid >= 16384
       AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid,
           pg_catalog.format('function %s', p.oid::pg_catalog.regprocedure),
           p.proowner, 'f', p.proacl
      FROM pg_catalog.pg_proc p WHERE p.oid >= 16384
    UNION ALL
    SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid,
           pg_catalog.format('type %s', pg_catalog.format_type(t.oid, NULL)),
           t.typowner, 'T', t.typacl
      FROM pg_catalog.pg_type t WHERE t.oid >= 16384 AND t.typacl IS NOT NULL
    UNION ALL
    SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid,
           pg_catalog.format('schema %I', n.nspname), n.nspowner, 'n', n.nspacl
      FROM pg_catalog.pg_namespace n
     WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_') AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, l.oid,
           pg_catalog.format('language %I', l.lanname), l.lanowner, 'l', l.lanacl
      FROM pg_catalog.pg_language l WHERE l.oid >= 16384
    UNION ALL
    SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, w.oid,
           pg_catalog.format('foreign data wrapper %I', w.fdwname), w.fdwowner, 'F', w.fdwacl
      FROM pg_catalog.pg_foreign_data_wrapper w
    UNION ALL
    SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, s.oid,
           pg_catalog.format('foreign server %I', s.srvname), s.srvowner, 'S', s.srvacl
      FROM pg_catalog.pg_foreign_server s
    UNION ALL
    SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, m.oid,
           pg_catalog.format('large object %s', m.oid), m.lomowner, 'L', m.lomacl
      FROM pg_catalog.pg_largeobject_metadata m WHERE m.lomacl IS NOT NULL
), granted (oid, identity, owner, kind, item) AS (
    SELECT o.oid, o.identity, o.owner, o.kind, item
      FROM object o
     CROSS JOIN LATERAL pg_catalog.unnest(
             CASE WHEN o.kind = 'c' THEN o.acl
                  ELSE coalesce(o.acl, pg_catalog.acldefault(o.kind, o.owner)) END) item
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e')
), explained (identity, owner, kind, grantee, grantor, privileges) AS (
    -- The owner of the public schema up to PostgreSQL 14: see schemas.sql.
    SELECT g.identity, g.owner, g.kind,
           CASE WHEN x.grantee = 0 THEN 'public'
                WHEN x.grantee = 10 AND g.identity = 'schema public' THEN '(bootstrap superuser)'
                ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END,
           CASE WHEN x.grantor = 10 AND g.identity = 'schema public' THEN '(bootstrap superuser)'
                ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantor)) END,
           pg_catalog.string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END,
                                 ' ' ORDER BY x.privilege_type COLLATE "C")
      FROM granted g
     CROSS JOIN LATERAL pg_catalog.aclexplode(ARRAY[g.item]) x
     WHERE NOT EXISTS (SELECT FROM pg_catalog.unnest(
                              CASE WHEN g.kind <> 'c'
                                   THEN pg_catalog.acldefault(g.kind, g.owner) END) standard
                        WHERE standard = g.item)
     GROUP BY g.oid, g.identity, g.owner, g.kind, x.grantee, x.grantor
)
SELECT pg_catalog.format('%s to %s: %s (by %s)', identity, grantee, privileges, grantor)
  FROM explained
UNION ALL
-- A default privilege that was taken away leaves no item behind.
SELECT pg_catalog.format('%s: default of %s revoked', o.identity,
         CASE WHEN x.grantee = 0 THEN 'public'
              WHEN x.grantee = 10 AND o.identity = 'schema public' THEN '(bootstrap superuser)'
              ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END)
  FROM object o
 CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.acldefault(o.kind, o.owner)) standard
 CROSS JOIN LATERAL (SELECT e.grantee FROM pg_catalog.aclexplode(ARRAY[standard]) e LIMIT 1) x
 WHERE o.kind <> 'c' AND o.acl IS NOT NULL
   AND NOT EXISTS (SELECT FROM pg_catalog.unnest(o.acl) item WHERE item = standard)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e')
