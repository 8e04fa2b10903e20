-- Columns that tell how rows are found and how long they live: texts and uuids that no index
-- begins with, moments that are set when a row is made, and moments after which it has expired (a
-- default of some time from now, or a name that begins so; of `otp_expires_at` only a part of
-- the row expires). Defaults are looked into as they are
-- stored, because pg_get_expr would open the table: 1299 is now(), `op` 3 and 4 are
-- CURRENT_TIMESTAMP, 1327 and 2066 are "moment + interval"; no version changes these numbers. Who
-- was given bounty_ops.column_statistics() sees what is known of columns that it may not read.
SELECT c.oid::bigint,
       a.attname::text,
       CASE WHEN t.typcategory <> 'D' THEN 'lookup'
            WHEN d.adbin::text ~ ':opno (1327|2066) ' THEN 'lifetime'
            WHEN a.attname ~* '^(expir|valid_until)' THEN 'expiry'
            ELSE 'created' END,
       pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') OR EXISTS (
           SELECT FROM pg_catalog.pg_proc AS p
             JOIN pg_catalog.pg_namespace AS m ON m.oid = p.pronamespace
            WHERE m.nspname = 'bounty_ops' AND p.proname = 'column_statistics' AND p.pronargs = 0
              AND p.prosecdef
              AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
              AND pg_catalog.has_schema_privilege(m.oid, 'USAGE'))
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relkind = 'r' AND c.oid >= 16384 AND c.relpersistence <> 't'
   AND a.attnum > 0 AND NOT a.attisdropped
   AND CASE WHEN t.typcategory = 'D'
            THEN a.attname ~* '^(expir|valid_until)'
                 OR d.adbin::text ~ ':(funcid 1299|op 3|op 4|opno 1327|opno 2066) '
            ELSE (t.typcategory = 'S' OR t.oid = 'uuid'::pg_catalog.regtype)
                 AND a.attnotnull
                 AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i
                                  WHERE i.indrelid = c.oid AND i.indisvalid
                                    AND i.indkey[0] = a.attnum) END
 ORDER BY c.oid, a.attnum
