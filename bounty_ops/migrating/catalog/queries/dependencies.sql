SELECT pg_catalog.replace(d.classid::pg_catalog.regclass::text, 'pg_catalog.', ''), d.objid,
       d.objsubid,
       pg_catalog.replace(d.refclassid::pg_catalog.regclass::text, 'pg_catalog.', ''), d.refobjid,
       d.refobjsubid
  FROM pg_catalog.pg_depend d
 WHERE d.objid >= 16384 AND d.refobjid >= 16384 AND d.deptype <> 'e'
