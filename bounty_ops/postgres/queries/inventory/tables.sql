-- Tablespaces are left out: a restore elsewhere has others.
SELECT pg_catalog.format('%I.%I: %s', n.nspname, c.relname, pg_catalog.concat_ws(', ',
         CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
         CASE c.relkind WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign' ELSE 'ordinary' END,
         'owner ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)),
         'partitioned by ' || pg_catalog.pg_get_partkeydef(c.oid),
         (SELECT CASE WHEN c.relispartition THEN 'partition of ' ELSE 'inherits ' END
                 || pg_catalog.string_agg(pg_catalog.format('%s', i.inhparent::pg_catalog.regclass),
                                          ', ' ORDER BY i.inhseqno)
            FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid),
         pg_catalog.pg_get_expr(c.relpartbound, c.oid),
         'of type ' || nullif(pg_catalog.format_type(nullif(c.reloftype, 0), NULL), '-'),
         'access method ' || nullif((SELECT am.amname FROM pg_catalog.pg_am am
                                      WHERE am.oid = c.relam)::text, 'heap'),
         CASE WHEN c.relrowsecurity THEN 'row security' END,
         CASE WHEN c.relforcerowsecurity THEN 'row security forced' END,
         CASE c.relreplident WHEN 'f' THEN 'replica identity full'
                             WHEN 'n' THEN 'replica identity nothing' END,
         'options ' || (SELECT pg_catalog.string_agg(o, ' ' ORDER BY o COLLATE "C")
                          FROM pg_catalog.unnest(c.reloptions) o),
         'toast options ' || (SELECT pg_catalog.string_agg(o, ' ' ORDER BY o COLLATE "C")
                                FROM pg_catalog.pg_class t, pg_catalog.unnest(t.reloptions) o
                               WHERE t.oid = c.reltoastrelid),
         'server ' || (SELECT pg_catalog.quote_ident(s.srvname)
                         FROM pg_catalog.pg_foreign_table ft
                         JOIN pg_catalog.pg_foreign_server s ON s.oid = ft.ftserver
                        WHERE ft.ftrelid = c.oid)))
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f')
   AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
