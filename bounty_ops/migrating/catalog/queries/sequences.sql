-- Without those of identity columns, which go with the column, and of tables that are left out.
SELECT 'sequence', ARRAY[c.relname::text], 'pg_class', c.oid, 0,
       pg_catalog.jsonb_build_object(
         'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'logged' END,
         'owned_by', (SELECT pg_catalog.format('%I.%I', t.relname, a.attname)
                        FROM pg_catalog.pg_class t
                        JOIN pg_catalog.pg_attribute a
                          ON a.attrelid = t.oid AND a.attnum = o.refobjsubid
                       WHERE t.oid = o.refobjid)),
       pg_catalog.jsonb_build_object(
         'sequence', pg_catalog.jsonb_build_object(
             'type', pg_catalog.format_type(s.seqtypid, NULL),
             'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax,
             'cache', s.seqcache, 'cycle', s.seqcycle)::text,
         'owner_table', (SELECT t.relname FROM relation t WHERE t.oid = o.refobjid),
         'owner_column', (SELECT a.attname FROM pg_catalog.pg_attribute a
                           WHERE a.attrelid = o.refobjid AND a.attnum = o.refobjsubid))
  FROM relation c
  JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
  LEFT JOIN pg_catalog.pg_depend o
    ON o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid
   AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype IN ('a', 'i')
 WHERE o.deptype IS DISTINCT FROM 'i'
   AND (o.refobjid IS NULL OR EXISTS (SELECT FROM relation t WHERE t.oid = o.refobjid))
