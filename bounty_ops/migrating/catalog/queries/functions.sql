-- pg_get_functiondef writes everything but aggregates; the constructors of a range go with it.
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
       ARRAY[p.proname::text, pg_catalog.pg_get_function_identity_arguments(p.oid)],
       'pg_proc', p.oid, 0,
       pg_catalog.jsonb_build_object(
         'definition', CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid)
             ELSE (SELECT pg_catalog.concat_ws(', ',
                     'SFUNC = ' || a.aggtransfn, 'STYPE = ' || a.aggtranstype::pg_catalog.regtype,
                     'FINALFUNC = ' || nullif(a.aggfinalfn::text, '-'),
                     'COMBINEFUNC = ' || nullif(a.aggcombinefn::text, '-'),
                     'INITCOND = ' || pg_catalog.quote_literal(a.agginitval),
                     CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE'
                                        WHEN 'r' THEN 'PARALLEL = RESTRICTED' END)
                     FROM pg_catalog.pg_aggregate a WHERE a.aggfnoid = p.oid) END),
       pg_catalog.jsonb_build_object(
         'returns', pg_catalog.pg_get_function_result(p.oid),
         'arguments', pg_catalog.pg_get_function_arguments(p.oid),
         'language', (SELECT l.lanname FROM pg_catalog.pg_language l WHERE l.oid = p.prolang),
         'parsed', CASE WHEN p.prosqlbody IS NOT NULL THEN 'yes' END)
  FROM pg_catalog.pg_proc p
  JOIN space ON space.oid = p.pronamespace
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                      AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
