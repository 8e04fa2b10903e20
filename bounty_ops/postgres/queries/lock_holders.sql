-- Who holds, or waits for, a lock on these tables that forbids reading them. No query text: it may
-- hold values. A role without pg_monitor sees nothing but the process of other roles' sessions.
SELECT DISTINCT ON (a.pid)
       a.pid,
       a.application_name,
       a.state,
       round(extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start))::int,
       l.relation::pg_catalog.regclass::text,
       l.granted
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'relation'
   AND l.database = (SELECT oid FROM pg_catalog.pg_database
                      WHERE datname = pg_catalog.current_database())
   AND l.relation = ANY (%s::oid[])
   AND l.mode = 'AccessExclusiveLock'
   AND l.pid <> pg_catalog.pg_backend_pid()
 ORDER BY a.pid, l.granted DESC
