-- The rows of a materialized view are not compared: a restore refreshes it, while the source may
-- have refreshed it last week. That it is populated is.
SELECT pg_catalog.format('%I.%I: %s', n.nspname, c.relname, pg_catalog.concat_ws(', ',
         CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END,
         'owner ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)),
         CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'not populated' END,
         'options ' || (SELECT pg_catalog.string_agg(o, ' ' ORDER BY o COLLATE "C")
                          FROM pg_catalog.unnest(c.reloptions) o))),
       pg_catalog.pg_get_viewdef(c.oid)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('v', 'm')
   AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
