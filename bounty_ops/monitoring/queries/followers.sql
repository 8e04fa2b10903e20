-- Who receives this server's WAL, with how much they have not received or replayed (a receiver that
-- replays nothing: not written to its disk). A role without pg_read_all_stats sees that they are
-- there and nothing else.
SELECT r.pid,
       CASE WHEN r.state IS NOT NULL THEN r.application_name END AS name,
       r.state,
       r.sync_state,
       s.slot_name AS slot,
       CASE WHEN r.sent_lsn IS NOT NULL
            THEN greatest(0, (here.lsn - r.sent_lsn)::bigint) END AS sent_lag_bytes,
       CASE WHEN at.lsn IS NOT NULL
            THEN greatest(0, (here.lsn - at.lsn)::bigint) END AS lag_bytes,
       extract(epoch FROM r.replay_lag)::float8 AS lag_seconds
  FROM (SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
                    THEN pg_catalog.pg_last_wal_replay_lsn()
                    ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) AS here,
       pg_catalog.pg_stat_replication AS r
  LEFT JOIN pg_catalog.pg_replication_slots AS s ON s.active_pid = r.pid
 CROSS JOIN LATERAL (SELECT coalesce(r.replay_lsn, r.flush_lsn) AS lsn) AS at
 ORDER BY r.pid
