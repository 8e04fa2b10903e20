-- Settings of the server that are not built in, or wait for a restart; and those of databases and
-- roles. What our own session sets is read as it would be without that; what ALTER DATABASE or
-- ALTER ROLE set for it stands in pg_db_role_setting. A client's own settings are nobody else's.
SELECT 'server' AS scope,
       s.name,
       CASE s.source WHEN 'session' THEN s.reset_val ELSE s.setting END,
       s.unit,
       s.vartype,
       CASE s.source WHEN 'session' THEN 'unknown' ELSE s.source END,
       s.pending_restart
  FROM pg_catalog.pg_settings AS s
 WHERE s.pending_restart
    OR (s.source IN ('environment variable', 'configuration file', 'command line', 'global'))
    OR (s.source = 'session' AND s.reset_val IS DISTINCT FROM s.boot_val
        AND s.name <> 'client_encoding'
        -- What was set for the role or the database stands below, and is not the server's.
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS own
                         CROSS JOIN LATERAL pg_catalog.unnest(own.setconfig) AS config
                         WHERE pg_catalog.split_part(config, '=', 1) = s.name
                           AND own.setrole IN (0, (SELECT r.oid FROM pg_catalog.pg_roles AS r
                                                    WHERE r.rolname = session_user))
                           AND own.setdatabase IN (0, (SELECT d.oid
                                                         FROM pg_catalog.pg_database AS d
                                                        WHERE d.datname
                                                              = pg_catalog.current_database()))))
UNION ALL
SELECT CASE WHEN r.rolname IS NULL AND d.datname IS NULL THEN 'all databases and roles'
            WHEN r.rolname IS NULL THEN 'database ' || d.datname
            WHEN d.datname IS NULL THEN 'role ' || r.rolname
            ELSE 'role ' || r.rolname || ' in database ' || d.datname END,
       k.name,
       k.value,
       NULL,
       s.vartype,
       CASE WHEN r.rolname IS NULL THEN 'database' ELSE 'role' END,
       false
  FROM pg_catalog.pg_db_role_setting AS x
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = x.setrole
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = x.setdatabase
 CROSS JOIN LATERAL pg_catalog.unnest(x.setconfig) AS config
 CROSS JOIN LATERAL (SELECT pg_catalog.split_part(config, '=', 1),
                            pg_catalog.substr(config, pg_catalog.strpos(config, '=') + 1))
           AS k (name, value)
  LEFT JOIN pg_catalog.pg_settings AS s ON s.name = k.name
 WHERE x.setdatabase = 0 OR d.datname = pg_catalog.current_database()
