-- What this role cannot read, or would see only a part of: one row an object, with the reason.
WITH relation (oid, schema_oid, label, kind) AS (
    SELECT c.oid, n.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'S')
       AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
       AND n.nspname <> 'information_schema'
       AND (NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                         WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                           AND d.objid = c.oid AND d.deptype = 'e')
            OR EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE c.oid = ANY (e.extconfig)))
)
SELECT label,
       CASE WHEN NOT pg_catalog.has_schema_privilege(schema_oid, 'USAGE') THEN 'schema'
            WHEN kind = 'S' THEN 'sequence'
            WHEN NOT pg_catalog.has_table_privilege(oid, 'SELECT') THEN 'table'
            ELSE 'policy' END
  FROM relation
 WHERE NOT pg_catalog.has_schema_privilege(schema_oid, 'USAGE')
    OR CASE WHEN kind = 'S' THEN NOT pg_catalog.has_sequence_privilege(oid, 'SELECT')
            ELSE NOT pg_catalog.has_table_privilege(oid, 'SELECT')
                 OR (kind = 'r' OR kind = 'p') AND pg_catalog.row_security_active(oid) END
UNION ALL
-- Before PostgreSQL 18 pg_read_all_data does not stand for large objects.
SELECT pg_catalog.format('large object %s', m.oid), 'large object'
  FROM pg_catalog.pg_largeobject_metadata m
 WHERE NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
   AND NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE')
   AND NOT (pg_catalog.current_setting('server_version_num')::integer >= 180000
            AND pg_catalog.pg_has_role('pg_read_all_data', 'USAGE'))
   AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(m.lomacl) x
                    WHERE x.privilege_type = 'SELECT'
                      AND (x.grantee = 0 OR pg_catalog.pg_has_role(x.grantee, 'USAGE')))
