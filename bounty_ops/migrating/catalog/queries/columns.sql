-- Options that begin with pg_ are the server's own bookkeeping: minor releases of November 2026 and later
-- give each column a pg_attver that no dump carries and each restore has anew (CVE-2026-6460).
-- Inherited columns come with the parent's. The position is needed to write a table down; it is
-- never compared.
SELECT 'column', ARRAY[c.relname::text, a.attname::text], 'pg_class', c.oid, a.attnum,
       pg_catalog.jsonb_build_object(
         'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
         'collation', (SELECT a.attcollation::pg_catalog.regcollation::text
                        WHERE a.attcollation <> t.typcollation),
         'not_null', CASE WHEN NOT a.attnotnull THEN 'nullable' ELSE 'not null'
             || coalesce((SELECT CASE WHEN k.connoinherit THEN ' no inherit' ELSE '' END
                                 || CASE WHEN k.convalidated THEN '' ELSE ' not valid' END
                            FROM pg_catalog.pg_constraint k
                           WHERE k.conrelid = c.oid AND k.contype = 'n'
                             AND k.conkey[1] = a.attnum), '') END,
         'generated', CASE WHEN a.attgenerated <> '' THEN
             pg_catalog.pg_get_expr(d.adbin, d.adrelid)
             || CASE a.attgenerated WHEN 'v' THEN ' virtual' ELSE ' stored' END END,
         'storage', (SELECT CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                                              WHEN 'm' THEN 'main' ELSE 'extended' END
                      WHERE a.attstorage <> t.typstorage),
         'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
         'statistics_target', (SELECT a.attstattarget::text WHERE a.attstattarget >= 0),
         'column_options', (SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE "C")
                              FROM pg_catalog.unnest(a.attoptions) o
                             WHERE NOT pg_catalog.starts_with(o, 'pg_'))),
       pg_catalog.jsonb_build_object(
         'position', pg_catalog.to_char(a.attnum, 'FM00000'),
         'expression', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
         'type_storage', CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                                           WHEN 'm' THEN 'main' ELSE 'extended' END,
         'base_type', pg_catalog.format_type(a.atttypid, NULL),
         'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
         'sequence', (SELECT pg_catalog.jsonb_build_object(
                               'type', pg_catalog.format_type(s.seqtypid, NULL),
                               'start', s.seqstart, 'increment', s.seqincrement,
                               'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache,
                               'cycle', s.seqcycle)::text
                        FROM pg_catalog.pg_sequence s
                        JOIN pg_catalog.pg_depend e ON e.objid = s.seqrelid
                       WHERE a.attidentity <> '' AND e.deptype = 'i'
                         AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                         AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                         AND e.refobjid = c.oid AND e.refobjsubid = a.attnum))
  FROM relation c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p', 'f')
   AND a.attnum > 0 AND NOT a.attisdropped
   AND (a.attislocal OR a.attinhcount = 0)
