-- Row types of tables, array types and multiranges go with what they belong to.
SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite_type'
                      WHEN 'r' THEN 'range_type' ELSE 'base_type' END,
       ARRAY[t.typname::text], 'pg_type', t.oid, 0,
       CASE t.typtype
         WHEN 'e' THEN pg_catalog.jsonb_build_object(
           'labels', coalesce((SELECT pg_catalog.jsonb_agg(e.enumlabel ORDER BY e.enumsortorder)
                                 FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
                              '[]'::pg_catalog.jsonb)::text)
         WHEN 'd' THEN pg_catalog.jsonb_build_object(
           'type', pg_catalog.format_type(t.typbasetype, t.typtypmod),
           'collation', (SELECT t.typcollation::pg_catalog.regcollation::text
                           FROM pg_catalog.pg_type b
                          WHERE b.oid = t.typbasetype AND t.typcollation <> b.typcollation),
           'default', coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault),
           'not_null', CASE WHEN t.typnotnull THEN 'not null' ELSE 'nullable' END)
         WHEN 'c' THEN pg_catalog.jsonb_build_object(
           'attributes', (SELECT pg_catalog.string_agg(
                     pg_catalog.format('%I %s', a.attname,
                                       pg_catalog.format_type(a.atttypid, a.atttypmod))
                     || CASE WHEN a.attcollation <> b.typcollation
                             THEN ' COLLATE ' || a.attcollation::pg_catalog.regcollation::text
                             ELSE '' END, ', ' ORDER BY a.attnum)
              FROM pg_catalog.pg_attribute a
              JOIN pg_catalog.pg_type b ON b.oid = a.atttypid
             WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
         WHEN 'r' THEN (SELECT pg_catalog.jsonb_build_object(
             'range', pg_catalog.concat_ws(', ',
               'SUBTYPE = ' || pg_catalog.format_type(r.rngsubtype, NULL),
               (SELECT pg_catalog.format('SUBTYPE_OPCLASS = %I.%I', s.nspname, o.opcname)
                  FROM pg_catalog.pg_opclass o
                  JOIN pg_catalog.pg_namespace s ON s.oid = o.opcnamespace
                 WHERE o.oid = r.rngsubopc AND NOT o.opcdefault),
               (SELECT 'COLLATION = ' || r.rngcollation::pg_catalog.regcollation::text
                  FROM pg_catalog.pg_type b
                 WHERE b.oid = r.rngsubtype AND r.rngcollation <> b.typcollation),
               'SUBTYPE_DIFF = ' || nullif(r.rngsubdiff::text, '-'),
               'MULTIRANGE_TYPE_NAME = ' || pg_catalog.format_type(r.rngmultitypid, NULL)))
            FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid)
         ELSE pg_catalog.jsonb_build_object(
           'functions', pg_catalog.format('%s %s', t.typinput, t.typoutput)) END,
       '{}'::pg_catalog.jsonb
  FROM pg_catalog.pg_type t
  JOIN space ON space.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
 WHERE (c.oid IS NULL OR c.relkind = 'c')
   AND t.typtype IN ('e', 'd', 'c', 'r', 'b')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_type element WHERE element.typarray = t.oid)
   AND NOT EXISTS (SELECT FROM member m
                    WHERE (m.class = 'pg_catalog.pg_type'::pg_catalog.regclass AND m.oid = t.oid)
                       OR (m.class = 'pg_catalog.pg_class'::pg_catalog.regclass
                           AND m.oid = t.typrelid))
