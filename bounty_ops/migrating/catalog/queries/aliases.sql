-- What belongs to an object and stands for it where PostgreSQL writes down who needs whom.
SELECT 'pg_rewrite', r.oid, 0, 'pg_class', r.ev_class, 0
  FROM pg_catalog.pg_rewrite r WHERE r.rulename = '_RETURN' AND r.oid >= 16384
UNION ALL
SELECT 'pg_attrdef', d.oid, 0, 'pg_class', d.adrelid, d.adnum
  FROM pg_catalog.pg_attrdef d
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
 WHERE a.attgenerated <> ''
UNION ALL
SELECT 'pg_class', k.conindid, 0, 'pg_constraint', k.oid, 0
  FROM pg_catalog.pg_constraint k WHERE k.contype IN ('p', 'u', 'x')
UNION ALL
SELECT 'pg_type', t.oid, 0, 'pg_class', t.typrelid, 0
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
 WHERE c.relkind <> 'c' AND t.oid >= 16384
UNION ALL
SELECT 'pg_class', t.typrelid, 0, 'pg_type', t.oid, 0
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
 WHERE c.relkind = 'c' AND t.oid >= 16384
UNION ALL
SELECT 'pg_type', t.typarray, 0, 'pg_type', t.oid, 0
  FROM pg_catalog.pg_type t WHERE t.typarray >= 16384
UNION ALL
SELECT 'pg_type', r.rngmultitypid, 0, 'pg_type', r.rngtypid, 0
  FROM pg_catalog.pg_range r WHERE r.rngtypid >= 16384
UNION ALL
SELECT 'pg_class', d.objid, 0, 'pg_class', d.refobjid, d.refobjsubid
  FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.objid
 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND d.deptype = 'i' AND c.relkind = 'S'
