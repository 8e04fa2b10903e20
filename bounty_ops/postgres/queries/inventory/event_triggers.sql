SELECT pg_catalog.format('%I: %s', e.evtname, pg_catalog.concat_ws(', ',
         'on ' || e.evtevent,
         'owner ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(e.evtowner)),
         'calls ' || e.evtfoid::pg_catalog.regproc::text,
         pg_catalog.format('enabled %s', e.evtenabled),
         'tags ' || (SELECT pg_catalog.string_agg(tag, ', ' ORDER BY tag COLLATE "C")
                       FROM pg_catalog.unnest(e.evttags) tag)))
  FROM pg_catalog.pg_event_trigger e
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass
                      AND d.objid = e.oid AND d.deptype = 'e')
