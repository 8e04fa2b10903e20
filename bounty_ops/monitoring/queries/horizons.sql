-- Everybody whose view of the data VACUUM must preserve. Sessions of other databases hold back
-- nothing here; VACUUM itself does not hold back others; an invalidated slot keeps nothing; of a
-- logical slot only the catalogues have to be kept.
SELECT 'backend',
       'pid ' || a.pid::text,
       a.usename,
       a.application_name,
       a.state,
       greatest(pg_catalog.age(a.backend_xmin), pg_catalog.age(a.backend_xid), 0),
       false,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = pg_catalog.current_database()
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.backend_type NOT IN ('walsender', 'parallel worker')
   AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum AS v WHERE v.pid = a.pid)
UNION ALL
SELECT 'prepared', p.gid, p.owner, NULL, 'prepared', greatest(pg_catalog.age(p.transaction), 0),
       false,
       extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::float8
  FROM pg_catalog.pg_prepared_xacts AS p
 WHERE p.database = pg_catalog.current_database()
UNION ALL
SELECT 'slot', s.slot_name, NULL, NULL, CASE WHEN s.active THEN 'active' ELSE 'inactive' END,
       greatest(pg_catalog.age(coalesce(s.xmin, s.catalog_xmin)), 0),
       s.xmin IS NULL,
       extract(epoch FROM pg_catalog.clock_timestamp()
           - (pg_catalog.to_jsonb(s) ->> 'inactive_since')::timestamptz)::float8
  FROM pg_catalog.pg_replication_slots AS s
 WHERE coalesce(s.xmin, s.catalog_xmin) IS NOT NULL
   AND s.wal_status IS DISTINCT FROM 'lost'
UNION ALL
SELECT 'standby', 'pid ' || r.pid::text, r.usename, r.application_name, r.state,
       greatest(pg_catalog.age(r.backend_xmin), 0),
       false,
       NULL
  FROM pg_catalog.pg_stat_replication AS r
 WHERE r.backend_xmin IS NOT NULL
