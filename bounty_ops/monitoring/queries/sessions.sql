-- Who these processes are, of whichever database; the texts of other databases' sessions are left
-- out, because their encoding may be another one.
SELECT a.pid,
       a.usename,
       a.application_name,
       a.state,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8,
       CASE WHEN a.backend_type IS NOT NULL AND a.datname = pg_catalog.current_database()
            THEN pg_catalog.convert_to(a.query,
                CASE WHEN pg_catalog.getdatabaseencoding() = 'SQL_ASCII'
                     THEN 'SQL_ASCII' ELSE 'UTF8' END) END,
       a.backend_type IS NULL
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.pid = ANY (%(pids)s::integer[])
