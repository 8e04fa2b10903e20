SELECT CASE c.relkind WHEN 'f' THEN 'foreign_table' ELSE 'table' END, ARRAY[c.relname::text],
       'pg_class', c.oid, 0,
       pg_catalog.jsonb_build_object(
         'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'logged' END,
         'partitioning', pg_catalog.pg_get_partkeydef(c.oid),
         'row_security', CASE WHEN c.relrowsecurity THEN 'enabled' ELSE 'disabled' END
                         || CASE WHEN c.relforcerowsecurity THEN ', forced' ELSE '' END,
         'replica_identity', CASE c.relreplident
             WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full'
             WHEN 'i' THEN coalesce((SELECT 'index ' || x.relname
                                       FROM pg_catalog.pg_index i
                                       JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                                      WHERE i.indrelid = c.oid AND i.indisreplident), 'nothing')
             ELSE 'default' END,
         'storage_parameters',
           (SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE "C")
              FROM (SELECT pg_catalog.unnest(c.reloptions)
                    UNION ALL
                    SELECT 'toast.' || pg_catalog.unnest(t.reloptions)
                      FROM pg_catalog.pg_class t WHERE t.oid = c.reltoastrelid) AS options (o)),
         'access_method', (SELECT am.amname FROM pg_catalog.pg_am am
                            WHERE am.oid = c.relam AND am.amname <> 'heap'),
         'inheritance',
           (SELECT pg_catalog.string_agg(i.inhparent::pg_catalog.regclass::text, ', '
                                         ORDER BY i.inhseqno)
              FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid),
         'of_type', (SELECT c.reloftype::pg_catalog.regtype::text WHERE c.reloftype <> 0),
         'server', (SELECT s.srvname FROM pg_catalog.pg_foreign_table f
                      JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
                     WHERE f.ftrelid = c.oid),
         'foreign_options', (SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE "C")
                               FROM pg_catalog.pg_foreign_table f,
                                    pg_catalog.unnest(f.ftoptions) o
                              WHERE f.ftrelid = c.oid)),
       '{}'::pg_catalog.jsonb
  FROM relation c
 WHERE c.relkind IN ('r', 'p', 'f')
