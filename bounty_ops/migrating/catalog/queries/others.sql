-- What is named only, so that nothing of schema public goes unseen.
, object (class, oid) AS (
    SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, o.oid
      FROM pg_catalog.pg_collation o JOIN space ON space.oid = o.collnamespace
    UNION ALL
    SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, o.oid
      FROM pg_catalog.pg_operator o JOIN space ON space.oid = o.oprnamespace
    UNION ALL
    SELECT 'pg_catalog.pg_opclass'::pg_catalog.regclass, o.oid
      FROM pg_catalog.pg_opclass o JOIN space ON space.oid = o.opcnamespace
    UNION ALL
    SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass, o.oid
      FROM pg_catalog.pg_opfamily o JOIN space ON space.oid = o.opfnamespace
    UNION ALL
    SELECT 'pg_catalog.pg_conversion'::pg_catalog.regclass, o.oid
      FROM pg_catalog.pg_conversion o JOIN space ON space.oid = o.connamespace
    UNION ALL
    SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, o.oid
      FROM pg_catalog.pg_ts_config o JOIN space ON space.oid = o.cfgnamespace
    UNION ALL
    SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, o.oid
      FROM pg_catalog.pg_ts_dict o JOIN space ON space.oid = o.dictnamespace
)
SELECT pg_catalog.replace(i.type, ' ', '_'), ARRAY[i.identity],
       pg_catalog.replace(o.class::text, 'pg_catalog.', ''), o.oid, 0,
       '{"there": "yes"}'::pg_catalog.jsonb,
       '{}'::pg_catalog.jsonb
  FROM object o
 CROSS JOIN LATERAL pg_catalog.pg_identify_object(o.class, o.oid, 0) i
 WHERE NOT EXISTS (SELECT FROM member m WHERE m.class = o.class AND m.oid = o.oid)
