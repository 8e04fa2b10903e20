-- How far a standby is with what it has received. Where everything received is replayed it is not
-- behind, however long ago the last transaction was.
SELECT pg_catalog.pg_is_in_recovery() AS in_recovery,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN
           (pg_catalog.pg_last_wal_receive_lsn() - pg_catalog.pg_last_wal_replay_lsn())::bigint
       END AS replay_lag_bytes,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN NULL
            WHEN pg_catalog.pg_last_wal_receive_lsn() <= pg_catalog.pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM pg_catalog.clock_timestamp()
                     - pg_catalog.pg_last_xact_replay_timestamp())
       END::float8 AS replay_lag_seconds,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN
           EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver AS w WHERE w.pid IS NOT NULL)
       END AS receiving
