-- Sessions of this database that are at something, those that wait for a lock, and those that the
-- role may not look into. Ages are in seconds. The text travels as bytes: a database in SQL_ASCII
-- may hold any.
SELECT a.pid,
       coalesce(a.backend_type = 'client backend', false) AS client,
       a.backend_type IS NULL AS hidden,
       a.state,
       a.usename,
       a.application_name,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.query_start)::float8,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.state_change)::float8,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8,
       a.wait_event_type,
       a.wait_event,
       CASE WHEN a.backend_type = 'client backend'
            THEN pg_catalog.convert_to(a.query,
                CASE WHEN pg_catalog.getdatabaseencoding() = 'SQL_ASCII'
                     THEN 'SQL_ASCII' ELSE 'UTF8' END) END
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = pg_catalog.current_database()
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND (a.wait_event_type = 'Lock'
        OR (a.backend_type IS NULL AND a.usesysid IS NOT NULL)
        OR (a.backend_type = 'client backend' AND a.state <> 'idle'))
