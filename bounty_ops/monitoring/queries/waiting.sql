-- Those of these sessions that wait for a lock, what they want, and for whom they wait, lock
-- queues included. pg_blocking_pids stops the lock manager for a moment, so it is asked about the
-- first ones only. pg_locks hides nothing from anybody.
WITH waiting AS MATERIALIZED (
    SELECT l.*
      FROM pg_catalog.pg_locks AS l
     WHERE NOT l.granted AND l.pid = ANY (%(pids)s::integer[])
     ORDER BY l.waitstart NULLS LAST
)
SELECT w.pid,
       coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - w.waitstart)::float8, 0),
       w.mode,
       CASE WHEN c.oid IS NOT NULL
            THEN CASE w.locktype WHEN 'relation' THEN '' ELSE w.locktype || ' of ' END
                 || pg_catalog.format('%%I.%%I', n.nspname, c.relname)
            WHEN w.locktype = 'transactionid' THEN 'transaction ' || w.transactionid::text
            WHEN w.locktype = 'virtualxid' THEN 'transaction ' || w.virtualxid
            WHEN w.relation IS NOT NULL THEN w.locktype || ' ' || w.relation::text
            ELSE w.locktype END,
       CASE WHEN pg_catalog.row_number() OVER (ORDER BY w.waitstart NULLS LAST) <= %(most)s
            THEN pg_catalog.pg_blocking_pids(w.pid) END
  FROM waiting AS w
  LEFT JOIN pg_catalog.pg_class AS c
    ON c.oid = w.relation
   AND w.database = (SELECT oid FROM pg_catalog.pg_database
                      WHERE datname = pg_catalog.current_database())
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
