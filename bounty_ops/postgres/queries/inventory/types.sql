-- Row types of tables and array types go with their table or element type.
SELECT pg_catalog.format('%s: %s', pg_catalog.format_type(t.oid, NULL), pg_catalog.concat_ws(', ',
         CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite'
                        WHEN 'r' THEN 'range' WHEN 'm' THEN 'multirange' WHEN 'b' THEN 'base'
                        ELSE t.typtype::text END,
         'owner ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(t.typowner)),
         (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ' '
                                       ORDER BY e.enumsortorder)
            FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
         (SELECT pg_catalog.string_agg(
                   pg_catalog.format('%I %s', a.attname,
                                     pg_catalog.format_type(a.atttypid, a.atttypmod))
                   || CASE WHEN a.attcollation <> at.typcollation
                           THEN ' collate ' || a.attcollation::pg_catalog.regcollation::text
                           ELSE '' END, ', ' ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_type at ON at.oid = a.atttypid
           WHERE t.typtype = 'c' AND a.attrelid = t.typrelid
             AND a.attnum > 0 AND NOT a.attisdropped),
         CASE WHEN t.typtype = 'd'
              THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
         CASE WHEN t.typtype = 'd' AND t.typcollation <> 0
              THEN 'collate ' || t.typcollation::pg_catalog.regcollation::text END,
         CASE WHEN t.typnotnull THEN 'not null' END,
         'default ' || CASE WHEN t.typtype = 'd'
              THEN coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault) END,
         (SELECT pg_catalog.format('of %s collate %s operators %s canonical %s difference %s'
                                   ' multirange %s',
                   pg_catalog.format_type(r.rngsubtype, NULL),
                   r.rngcollation::pg_catalog.regcollation, o.opcname,
                   r.rngcanonical, r.rngsubdiff, pg_catalog.format_type(r.rngmultitypid, NULL))
            FROM pg_catalog.pg_range r
            JOIN pg_catalog.pg_opclass o ON o.oid = r.rngsubopc
           WHERE r.rngtypid = t.oid),
         CASE WHEN t.typtype = 'b'
              THEN pg_catalog.format('in %s out %s', t.typinput, t.typoutput) END))
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
 WHERE (c.oid IS NULL OR c.relkind = 'c')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_type element WHERE element.typarray = t.oid)
   AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.deptype = 'e'
                      AND ((d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                            AND d.objid = t.oid)
                        OR (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                            AND d.objid = t.typrelid)))
