-- Those that PostgreSQL makes for a partition from its parent's (conparentid) get names of their
-- own choosing in a restore; the parent's stands for them. Names of NOT NULL constraints (18 and
-- later) are left out for the same reason: inheritance may choose others.
SELECT pg_catalog.format('%s: %s', coalesce(
           (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
              FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.oid = k.conrelid),
           'domain ' || pg_catalog.format_type(nullif(k.contypid, 0), NULL)),
         CASE WHEN k.contype = 'n' THEN '' ELSE pg_catalog.quote_ident(k.conname) || ' ' END
         || pg_catalog.pg_get_constraintdef(k.oid))
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_namespace s ON s.oid = k.connamespace
 WHERE k.conparentid = 0
   AND k.contype <> 't'
   AND NOT pg_catalog.starts_with(s.nspname::text, 'pg_')
   AND s.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.deptype = 'e'
                      AND ((d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                            AND d.objid = k.conrelid)
                        OR (d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                            AND d.objid = k.contypid)))
