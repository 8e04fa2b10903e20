-- Like pg_dump without those that are invalid, such as half-built ones, but for the parents of
-- partitioned indexes. relkind I: not every partition may have its part.
SELECT pg_catalog.format('%I.%I: %s', n.nspname, x.relname, pg_catalog.concat_ws(', ',
         pg_catalog.pg_get_indexdef(x.oid),
         CASE WHEN NOT i.indisvalid THEN 'invalid' END,
         CASE WHEN i.indisclustered THEN 'clustered' END,
         CASE WHEN i.indisreplident THEN 'replica identity' END,
         'statistics ' || (SELECT pg_catalog.string_agg(
                                    pg_catalog.format('%s of %s', a.attstattarget, a.attnum), ' '
                                    ORDER BY a.attnum)
                             FROM pg_catalog.pg_attribute a
                            WHERE a.attrelid = x.oid AND a.attstattarget >= 0),
         'attached to ' || (SELECT h.inhparent::pg_catalog.regclass::text
                              FROM pg_catalog.pg_inherits h WHERE h.inhrelid = x.oid)))
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
 WHERE (i.indisvalid OR c.relkind = 'p') AND i.indisready
   AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
