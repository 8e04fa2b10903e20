-- Counters of this database, and how old its oldest row is that is not frozen. What our own session
-- sets itself is read as it would be without that. At 3,000,000 transactions before the end of the
-- circle of 2^31 the server stops handing out transaction ids (access/transam/varsup.c).
SELECT pg_catalog.pg_postmaster_start_time() AS started_at,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       (SELECT x.reset_val = 'on' FROM pg_catalog.pg_settings AS x
         WHERE x.name = 'default_transaction_read_only') AS read_only,
       s.stats_reset,
       s.numbackends AS backends,
       s.xact_commit AS commits,
       s.xact_rollback AS rollbacks,
       s.blks_hit AS blocks_hit,
       s.blks_read AS blocks_read,
       s.tup_returned AS rows_returned,
       s.tup_fetched AS rows_fetched,
       s.tup_inserted AS rows_inserted,
       s.tup_updated AS rows_updated,
       s.tup_deleted AS rows_deleted,
       s.conflicts,
       s.deadlocks,
       s.temp_files,
       s.temp_bytes,
       s.checksum_failures,
       s.blk_read_time / 1000 AS read_seconds,
       s.blk_write_time / 1000 AS write_seconds,
       s.session_time / 1000 AS session_seconds,
       s.active_time / 1000 AS active_seconds,
       s.idle_in_transaction_time / 1000 AS idle_in_transaction_seconds,
       s.sessions,
       s.sessions_abandoned,
       s.sessions_fatal,
       s.sessions_killed,
       pg_catalog.age(d.datfrozenxid) AS xid_age,
       pg_catalog.current_setting('autovacuum_freeze_max_age')::integer AS xid_freeze_age,
       2147483647 - 3000000 AS xid_limit,
       pg_catalog.age(x.datfrozenxid) AS oldest_xid_age,
       x.datname AS oldest_xid_database,
       pg_catalog.mxid_age(d.datminmxid) AS mxid_age,
       pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::integer
           AS mxid_freeze_age,
       2147483647 - 3000000 AS mxid_limit,
       pg_catalog.mxid_age(m.datminmxid) AS oldest_mxid_age,
       m.datname AS oldest_mxid_database
  FROM pg_catalog.pg_database AS d
  JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid,
       (SELECT datname, datfrozenxid FROM pg_catalog.pg_database
         ORDER BY pg_catalog.age(datfrozenxid) DESC, datname LIMIT 1) AS x,
       (SELECT datname, datminmxid FROM pg_catalog.pg_database
         ORDER BY pg_catalog.mxid_age(datminmxid) DESC, datname LIMIT 1) AS m
 WHERE d.datname = pg_catalog.current_database()
