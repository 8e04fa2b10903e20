"""The questions that a live catalogue is asked; none of them waits for a table's lock.

Every name comes as schema and name, so that nothing depends on the session's search_path.
"""

from __future__ import annotations

from typing import Final

_OURS: Final = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') "
    "AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'"
)

RELATIONS: Final = f"""
SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.relpersistence::text, c.relrowsecurity,
       c.relreplident::text, c.relispopulated, c.reltuples,
       EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner),
       CASE WHEN c.relkind NOT IN ('r', 'm') THEN NULL
            WHEN c.relpages > 16 THEN c.relpages::bigint * 8192
            -- The size of a table that somebody rewrites cannot be asked for without waiting.
            WHEN EXISTS (SELECT FROM pg_locks l WHERE l.relation = c.oid
                         AND l.mode = 'AccessExclusiveLock') THEN NULL
            ELSE pg_relation_size(c.oid) END,
       (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid AND c.relispartition),
       p.partdefid,
       (SELECT array_agg(a.attname::text ORDER BY k.position)
          FROM unnest(p.partattrs::int2[]) WITH ORDINALITY k(number, position)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number),
       pg_get_expr(c.relpartbound, c.oid)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_OURS}
"""  # noqa: S608 - a constant of this module

COLUMNS: Final = f"""
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
       (SELECT max(s.n_distinct) FROM pg_stats s WHERE s.schemaname = n.nspname
           AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited)
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'f', 'v') AND {_OURS}
 ORDER BY a.attrelid, a.attnum
"""  # noqa: S608 - a constant of this module

CONSTRAINTS: Final = f"""
SELECT k.conrelid, k.conname, k.contype::text, k.convalidated,
       (SELECT array_agg(a.attname::text ORDER BY u.position)
          FROM unnest(k.conkey) WITH ORDINALITY u(number, position)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number),
       NULLIF(k.confrelid, 0),
       (SELECT array_agg(a.attname::text ORDER BY u.position)
          FROM unnest(k.confkey) WITH ORDINALITY u(number, position)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number),
       pg_get_expr(k.conbin, k.conrelid)
  FROM pg_constraint k
  JOIN pg_namespace n ON n.oid = k.connamespace
 WHERE k.conrelid <> 0 AND k.contype IN ('c', 'f', 'u', 'p', 'x', 'n') AND {_OURS}
"""  # noqa: S608 - a constant of this module

INDEXES: Final = f"""
SELECT n.nspname, c.relname, i.indrelid,
       (SELECT array_agg(a.attname::text ORDER BY u.position)
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(number, position)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number
         WHERE u.position <= i.indnkeyatts),
       (SELECT array_agg(DISTINCT a.attname::text) FROM pg_attribute a
         WHERE a.attrelid = i.indrelid AND (a.attnum = ANY (i.indkey::int2[]) OR a.attnum IN (
               SELECT d.refobjsubid FROM pg_depend d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid))
           AND a.attnum > 0),
       i.indisunique, i.indisvalid, i.indpred IS NOT NULL, i.indexprs IS NOT NULL, i.indisprimary,
       (SELECT k.conname FROM pg_constraint k
         WHERE k.conindid = c.oid AND k.contype IN ('u', 'p', 'x') LIMIT 1)
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE {_OURS}
"""  # noqa: S608 - a constant of this module

VIEW_COLUMNS: Final = """
SELECT DISTINCT r.ev_class, d.refobjid, coalesce(a.attname::text, '')
  FROM pg_rewrite r
  JOIN pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
   AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
  LEFT JOIN pg_attribute a
    ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
"""

WATCHED: Final = """
SELECT DISTINCT d.refobjid, a.attname
  FROM pg_depend d
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
 WHERE d.refclassid = 'pg_class'::regclass
   AND (d.classid = 'pg_policy'::regclass
        OR (d.classid = 'pg_trigger'::regclass AND EXISTS (
            SELECT FROM pg_trigger t WHERE t.oid = d.objid AND NOT t.tgisinternal)))
"""

POLICIES: Final = "SELECT polrelid, polname FROM pg_policy"

DOMAINS: Final = f"""
SELECT n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
       (SELECT array_agg(k.conname::text) FROM pg_constraint k
         WHERE k.contypid = t.oid AND k.contype = 'c')
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype = 'd' AND {_OURS}
"""  # noqa: S608 - a constant of this module

ENUMS: Final = f"""
SELECT n.nspname, t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
  FROM pg_type t
  JOIN pg_enum e ON e.enumtypid = t.oid
  JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE {_OURS}
 GROUP BY 1, 2
"""  # noqa: S608 - a constant of this module

FUNCTIONS: Final = f"""
SELECT n.nspname, p.proname, p.provolatile::text, l.lanname, coalesce(p.prosrc, ''),
       format_type(p.prorettype, NULL), p.proretset, oidvectortypes(p.proargtypes),
       p.proargnames::text[]
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
 WHERE p.prokind IN ('f', 'p') AND {_OURS}
"""  # noqa: S608 - a constant of this module

PUBLICATIONS: Final = "SELECT pubname, puballtables, pubupdate OR pubdelete FROM pg_publication"

PUBLISHED: Final = "SELECT pubname, schemaname, tablename FROM pg_publication_tables"

TYPES: Final = f"""
SELECT n.nspname, t.typname
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
 WHERE (t.typtype = 'r' OR c.relkind = 'c') AND {_OURS}
"""  # noqa: S608 - a constant of this module

TRIGGERS: Final = """
SELECT tgrelid, tgname FROM pg_trigger WHERE NOT tgisinternal OR tgparentid <> 0
"""

SEQUENCES: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND {_OURS}
"""  # noqa: S608 - a constant of this module

FUNCTION_NAMES: Final = "SELECT DISTINCT proname FROM pg_proc"

OPERATOR_CLASSES: Final = """
SELECT m.amname, o.opcname, o.opcdefault, n.nspname, t.typname
  FROM pg_opclass o
  JOIN pg_am m ON m.oid = o.opcmethod
  JOIN pg_type i ON i.oid = o.opcintype
  JOIN pg_type t
    ON t.oid = i.oid
    OR (i.typname = 'anyenum' AND t.typtype = 'e')
    OR (i.typname = 'anyrange' AND t.typtype = 'r')
    OR (i.typname = 'anymultirange' AND t.typtype = 'm')
    OR (i.typname = 'record' AND t.typtype = 'c' AND t.typrelid IN (
        SELECT c.oid FROM pg_class c WHERE c.relkind = 'c'))
    OR t.oid IN (SELECT c.castsource FROM pg_cast c
                  WHERE c.casttarget = i.oid AND c.castmethod = 'b' AND c.castcontext = 'i')
  JOIN pg_namespace n ON n.oid = t.typnamespace
"""
"""With the types that an index on them may use: as GetDefaultOpClass and ResolveOpClass do."""

TYPE_NAMES: Final = """
SELECT n.nspname, t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
"""
