SELECT pg_catalog.replace(d.classoid::pg_catalog.regclass::text, 'pg_catalog.', ''), d.objoid,
       d.objsubid, d.description,
       (SELECT a.attname::text FROM pg_catalog.pg_attribute a
         WHERE d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
           AND a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0)
  FROM pg_catalog.pg_description d
 WHERE d.objoid >= 16384
