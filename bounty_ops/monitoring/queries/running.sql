-- Sessions of this database that are doing something or keep a transaction open. Ages are in
-- seconds. pg_blocking_pids stops the lock manager for a moment, so it is asked only about those
-- that wait. The text travels as bytes: a database in SQL_ASCII may hold any.
SELECT a.pid,
       a.usename,
       a.application_name,
       a.state,
       a.backend_type IS NULL AS hidden,
       extract(epoch FROM pg_catalog.clock_timestamp()
           - CASE WHEN a.state = 'active' THEN a.query_start ELSE a.state_change END)::float8,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8,
       CASE WHEN a.wait_event_type IS NOT NULL
            THEN a.wait_event_type || ': ' || a.wait_event END,
       CASE WHEN a.wait_event_type = 'Lock'
            THEN pg_catalog.pg_blocking_pids(a.pid) ELSE '{}'::integer[] END,
       pg_catalog.convert_to(pg_catalog.left(a.query, 10000),
           CASE WHEN pg_catalog.getdatabaseencoding() = 'SQL_ASCII'
                THEN 'SQL_ASCII' ELSE 'UTF8' END),
       pg_catalog.octet_length(a.query) >= s.setting::integer - 4
           OR pg_catalog.length(a.query) > 10000 AS truncated
  FROM pg_catalog.pg_stat_activity AS a,
       pg_catalog.pg_settings AS s
 WHERE s.name = 'track_activity_query_size'
   AND a.datname = pg_catalog.current_database()
   AND a.usesysid IS NOT NULL
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND (a.backend_type IS NULL OR (a.backend_type = 'client backend' AND a.state <> 'idle'))
