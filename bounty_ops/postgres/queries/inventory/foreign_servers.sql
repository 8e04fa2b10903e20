-- Names of options only: their values may be secrets.
SELECT pg_catalog.format('wrapper %I: owner %I, handler %s, options %s', w.fdwname,
         pg_catalog.pg_get_userbyid(w.fdwowner), w.fdwhandler::pg_catalog.regproc,
         ARRAY(SELECT o.option_name FROM pg_catalog.pg_options_to_table(w.fdwoptions) o
                ORDER BY 1))
  FROM pg_catalog.pg_foreign_data_wrapper w
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass
                      AND d.objid = w.oid AND d.deptype = 'e')
UNION ALL
SELECT pg_catalog.format('server %I: wrapper %I, owner %I, options %s', s.srvname, w.fdwname,
         pg_catalog.pg_get_userbyid(s.srvowner),
         ARRAY(SELECT o.option_name FROM pg_catalog.pg_options_to_table(s.srvoptions) o
                ORDER BY 1))
  FROM pg_catalog.pg_foreign_server s
  JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass
                      AND d.objid = s.oid AND d.deptype = 'e')
