-- Options that begin with pg_ are the server's own bookkeeping: minor releases of November 2026 and later
-- give each column a pg_attver that no dump carries and each restore has anew (CVE-2026-6460).
-- Without their position: a restore closes the gaps of dropped columns, and puts inherited ones first.
SELECT pg_catalog.format('%I.%I.%I: %s', n.nspname, c.relname, a.attname, pg_catalog.concat_ws(' ',
         pg_catalog.format_type(a.atttypid, a.atttypmod),
         'collate ' || (SELECT a.attcollation::pg_catalog.regcollation::text
                         WHERE a.attcollation <> t.typcollation),
         CASE WHEN a.attnotnull THEN 'not null' END,
         CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
         CASE a.attgenerated WHEN 's' THEN 'generated stored' WHEN 'v' THEN 'generated virtual'
              ELSE CASE WHEN a.atthasdef THEN 'default' END END,
         (SELECT pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) FROM pg_catalog.pg_attrdef ad
           WHERE ad.adrelid = a.attrelid AND ad.adnum = a.attnum),
         'storage ' || (SELECT a.attstorage::text WHERE a.attstorage <> t.typstorage),
         'compression ' || nullif(a.attcompression::text, ''),
         'statistics ' || nullif(a.attstattarget, -1),
         'options ' || (SELECT pg_catalog.string_agg(o, ' ' ORDER BY o COLLATE "C")
                          FROM pg_catalog.unnest(a.attoptions) o
                         WHERE NOT pg_catalog.starts_with(o, 'pg_'))))
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
   AND a.attnum > 0 AND NOT a.attisdropped
   AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
