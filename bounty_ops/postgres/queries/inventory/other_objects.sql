-- What is seldom made by users: identity and owner in the open, the rest as a hash. Versions of
-- collations are left out: they belong to the operating system.
WITH object (class, oid, owner, definition) AS (
    SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, o.oid, o.collowner,
           (pg_catalog.to_jsonb(o)
            - '{oid,collname,collnamespace,collowner,collversion}'::text[])::text
      FROM pg_catalog.pg_collation o
    UNION ALL
    SELECT 'pg_catalog.pg_cast'::pg_catalog.regclass, o.oid, NULL,
           ROW(o.castfunc::pg_catalog.regprocedure, o.castcontext, o.castmethod)::text
      FROM pg_catalog.pg_cast o
    UNION ALL
    SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, o.oid, o.oprowner,
           ROW(o.oprcode, o.oprcom::pg_catalog.regoperator, o.oprnegate::pg_catalog.regoperator,
               o.oprrest, o.oprjoin, o.oprcanmerge, o.oprcanhash,
               pg_catalog.format_type(o.oprresult, NULL))::text
      FROM pg_catalog.pg_operator o
    UNION ALL
    SELECT 'pg_catalog.pg_opclass'::pg_catalog.regclass, o.oid, o.opcowner,
           ROW(pg_catalog.format_type(o.opcintype, NULL), o.opcdefault,
               pg_catalog.format_type(nullif(o.opckeytype, 0), NULL), f.opfname,
               f.opfnamespace::pg_catalog.regnamespace)::text
      FROM pg_catalog.pg_opclass o
      JOIN pg_catalog.pg_opfamily f ON f.oid = o.opcfamily
    UNION ALL
    SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass, o.oid, o.opfowner,
           ROW((SELECT pg_catalog.string_agg(line, '; ' ORDER BY line COLLATE "C")
                  FROM (SELECT ROW(m.amopstrategy, m.amoppurpose,
                                   m.amopopr::pg_catalog.regoperator)::text
                          FROM pg_catalog.pg_amop m WHERE m.amopfamily = o.oid) AS line (line)),
               (SELECT pg_catalog.string_agg(line, '; ' ORDER BY line COLLATE "C")
                  FROM (SELECT ROW(m.amprocnum, pg_catalog.format_type(m.amproclefttype, NULL),
                                   pg_catalog.format_type(m.amprocrighttype, NULL),
                                   m.amproc::pg_catalog.regprocedure)::text
                          FROM pg_catalog.pg_amproc m WHERE m.amprocfamily = o.oid) AS line (line))
           )::text
      FROM pg_catalog.pg_opfamily o
    UNION ALL
    SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, o.oid, o.cfgowner,
           ROW(p.prsname, p.prsnamespace::pg_catalog.regnamespace,
               (SELECT pg_catalog.string_agg(
                         pg_catalog.format('%s %s', m.maptokentype,
                                           m.mapdict::pg_catalog.regdictionary), ', '
                         ORDER BY m.maptokentype, m.mapseqno)
                  FROM pg_catalog.pg_ts_config_map m WHERE m.mapcfg = o.oid))::text
      FROM pg_catalog.pg_ts_config o
      JOIN pg_catalog.pg_ts_parser p ON p.oid = o.cfgparser
    UNION ALL
    SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, o.oid, o.dictowner,
           ROW(t.tmplname, t.tmplnamespace::pg_catalog.regnamespace, o.dictinitoption)::text
      FROM pg_catalog.pg_ts_dict o
      JOIN pg_catalog.pg_ts_template t ON t.oid = o.dicttemplate
    UNION ALL
    SELECT 'pg_catalog.pg_ts_parser'::pg_catalog.regclass, o.oid, NULL,
           ROW(o.prsstart, o.prstoken, o.prsend, o.prsheadline, o.prslextype)::text
      FROM pg_catalog.pg_ts_parser o
    UNION ALL
    SELECT 'pg_catalog.pg_ts_template'::pg_catalog.regclass, o.oid, NULL,
           ROW(o.tmplinit, o.tmpllexize)::text
      FROM pg_catalog.pg_ts_template o
    UNION ALL
    SELECT 'pg_catalog.pg_conversion'::pg_catalog.regclass, o.oid, o.conowner,
           ROW(o.conforencoding, o.contoencoding, o.conproc, o.condefault)::text
      FROM pg_catalog.pg_conversion o
    UNION ALL
    SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, o.oid, o.lanowner,
           ROW(o.lanpltrusted, o.lanplcallfoid::pg_catalog.regproc,
               o.laninline::pg_catalog.regproc, o.lanvalidator::pg_catalog.regproc)::text
      FROM pg_catalog.pg_language o
    UNION ALL
    SELECT 'pg_catalog.pg_transform'::pg_catalog.regclass, o.oid, NULL,
           ROW(o.trffromsql, o.trftosql)::text
      FROM pg_catalog.pg_transform o
    UNION ALL
    SELECT 'pg_catalog.pg_am'::pg_catalog.regclass, o.oid, NULL,
           ROW(o.amhandler, o.amtype)::text
      FROM pg_catalog.pg_am o
)
SELECT pg_catalog.format('%s %s: %s', i.type, i.identity,
         coalesce('owner ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.owner)),
                  'nobody''s')),
       o.definition
  FROM object o
 CROSS JOIN LATERAL pg_catalog.pg_identify_object(o.class, o.oid, 0) i
 WHERE o.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e')
UNION ALL
SELECT pg_catalog.format('%s, %s', pg_catalog.pg_get_statisticsobjdef(s.oid),
         pg_catalog.concat_ws(', ',
           'owner ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(s.stxowner)),
           'target ' || nullif(s.stxstattarget, -1))),
       NULL
  FROM pg_catalog.pg_statistic_ext s
 WHERE s.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
                      AND d.objid = s.oid AND d.deptype = 'e')
UNION ALL
SELECT pg_catalog.format('%s large objects of %I', pg_catalog.count(*),
                         pg_catalog.pg_get_userbyid(m.lomowner)),
       NULL
  FROM pg_catalog.pg_largeobject_metadata m
 GROUP BY m.lomowner
