-- Of objects made by users (their OIDs begin at 16384) and of the public schema.
SELECT pg_catalog.format('%s %s: %L', i.type, i.identity, d.description)
  FROM pg_catalog.pg_description d
 CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) i
 WHERE (d.objoid >= 16384
        OR (d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND i.identity = 'public'))
   AND i.identity IS NOT NULL
   AND d.classoid <> 'pg_catalog.pg_largeobject'::pg_catalog.regclass
   AND NOT (d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
            AND pg_catalog.starts_with(i.identity, 'pg_'))
   AND NOT (d.classoid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            AND i.identity = 'plpgsql')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
