DO $take_over$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
                   WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind,
               c.oid::regclass::text AS name
          FROM pg_class AS c
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
          JOIN pg_roles AS r ON r.oid = c.relowner
         WHERE r.rolsuper AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
           AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
           -- A sequence of a column follows its table; an extension keeps its own.
           AND NOT EXISTS (SELECT FROM pg_depend AS d
                            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND (d.deptype IN ('e', 'i') OR c.relkind = 'S' AND d.deptype = 'a'))
        UNION ALL
        SELECT 'TYPE', t.oid::regtype::text
          FROM pg_type AS t
          JOIN pg_namespace AS n ON n.oid = t.typnamespace
          JOIN pg_roles AS r ON r.oid = t.typowner
         WHERE r.rolsuper AND t.typtype IN ('e', 'd')
           AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend AS d
                            WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                              AND d.deptype = 'e')
        UNION ALL
        SELECT 'SCHEMA', quote_ident(n.nspname)
          FROM pg_namespace AS n
          JOIN pg_roles AS r ON r.oid = n.nspowner
         WHERE r.rolsuper AND n.nspname = 'bounty_ops'
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO {role}', found.kind, found.name);
    END LOOP;
END
$take_over$;
