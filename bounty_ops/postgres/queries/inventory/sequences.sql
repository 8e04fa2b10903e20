SELECT pg_catalog.format('%I.%I: %s', n.nspname, c.relname, pg_catalog.concat_ws(', ',
         CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
         pg_catalog.format_type(s.seqtypid, NULL),
         pg_catalog.format('start %s increment %s min %s max %s cache %s', s.seqstart,
                           s.seqincrement, s.seqmin, s.seqmax, s.seqcache),
         CASE WHEN s.seqcycle THEN 'cycle' END,
         'owner ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)),
         (SELECT CASE o.deptype WHEN 'i' THEN 'identity of ' ELSE 'owned by ' END
                 || pg_catalog.format('%s.%I', o.refobjid::pg_catalog.regclass, a.attname)
            FROM pg_catalog.pg_depend o
            JOIN pg_catalog.pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
           WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
             AND o.objid = c.oid
             AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
             AND o.deptype IN ('a', 'i'))))
  FROM pg_catalog.pg_sequence s
  JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
