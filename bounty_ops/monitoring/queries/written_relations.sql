-- Tables that somebody is writing to now. What a transaction does is counted when it ends, so
-- until then these grow without a change of their counters.
SELECT DISTINCT l.relation::bigint
  FROM pg_catalog.pg_locks AS l
 WHERE l.locktype = 'relation'
   AND l.mode = 'RowExclusiveLock'
   AND l.relation >= 16384
   AND l.database = (SELECT oid FROM pg_catalog.pg_database
                      WHERE datname = pg_catalog.current_database())
