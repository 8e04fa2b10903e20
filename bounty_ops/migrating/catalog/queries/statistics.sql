SELECT 'statistics', ARRAY[s.stxname::text], 'pg_statistic_ext', s.oid, 0,
       pg_catalog.jsonb_build_object(
         'definition', pg_catalog.pg_get_statisticsobjdef(s.oid),
         'statistics_target', (SELECT s.stxstattarget::text WHERE s.stxstattarget >= 0)),
       '{}'::pg_catalog.jsonb
  FROM pg_catalog.pg_statistic_ext s
  JOIN space ON space.oid = s.stxnamespace
 WHERE EXISTS (SELECT FROM relation c WHERE c.oid = s.stxrelid)
   AND NOT EXISTS (SELECT FROM member m
                    WHERE m.class = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
                      AND m.oid = s.oid)
