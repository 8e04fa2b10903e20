-- From pg_proc's columns rather than pg_get_functiondef: that one shows the latest committed
-- definition, which need not be the one in the snapshot.
SELECT pg_catalog.format('%I.%I(%s): %s', n.nspname, p.proname,
         pg_catalog.pg_get_function_identity_arguments(p.oid), pg_catalog.concat_ws(', ',
         CASE p.prokind WHEN 'f' THEN 'function' WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
                        WHEN 'w' THEN 'window function' END,
         'returns ' || pg_catalog.pg_get_function_result(p.oid),
         l.lanname,
         CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
         CASE p.proparallel WHEN 's' THEN 'parallel safe' WHEN 'r' THEN 'parallel restricted' END,
         CASE WHEN p.proisstrict THEN 'strict' END,
         CASE WHEN p.prosecdef THEN 'security definer' END,
         CASE WHEN p.proleakproof THEN 'leakproof' END,
         'owner ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(p.proowner)),
         pg_catalog.format('cost %s rows %s', p.procost, p.prorows),
         'support ' || nullif(p.prosupport::text, '-'),
         'set ' || p.proconfig::text)),
       pg_catalog.concat_ws(E'\n', pg_catalog.pg_get_function_arguments(p.oid), p.prosrc, p.probin,
         pg_catalog.pg_get_function_sqlbody(p.oid), p.protrftypes::pg_catalog.regtype[]::text,
         (SELECT ROW(a.aggkind, a.aggnumdirectargs, a.aggtransfn, a.aggfinalfn, a.aggcombinefn,
                     a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn,
                     a.aggmfinalfn, a.aggfinalextra, a.aggmfinalextra, a.aggfinalmodify,
                     a.aggmfinalmodify, a.aggsortop::pg_catalog.regoperator,
                     pg_catalog.format_type(a.aggtranstype, NULL), a.aggtransspace,
                     pg_catalog.format_type(nullif(a.aggmtranstype, 0), NULL), a.aggmtransspace,
                     a.agginitval, a.aggminitval)::text
            FROM pg_catalog.pg_aggregate a WHERE a.aggfnoid = p.oid))
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
   -- The constructors of a range type come with it.
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                      AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
