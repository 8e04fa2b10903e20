-- As JSON: the columns of both catalogs differ from major to major.
SELECT pg_catalog.format('%I: owner %I, %s', p.pubname, pg_catalog.pg_get_userbyid(p.pubowner),
         pg_catalog.to_jsonb(p) - '{oid,pubname,pubowner}'::text[])
  FROM pg_catalog.pg_publication p
UNION ALL
-- A publication of part of the columns lists them in their physical order; see columns.sql.
SELECT pg_catalog.format('%I: publishes %I.%I, columns %s, where %s', t.pubname, t.schemaname,
         t.tablename,
         ARRAY(SELECT name
                 FROM pg_catalog.jsonb_array_elements_text(
                        CASE pg_catalog.jsonb_typeof(pg_catalog.to_jsonb(t) -> 'attnames')
                             WHEN 'array' THEN pg_catalog.to_jsonb(t) -> 'attnames' END) name
                ORDER BY name COLLATE "C"),
         pg_catalog.to_jsonb(t) ->> 'rowfilter')
  FROM pg_catalog.pg_publication_tables t
