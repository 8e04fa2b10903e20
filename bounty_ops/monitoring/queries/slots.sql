-- Replication slots with the WAL that is kept for them; behind a standby's own position a slot can
-- be for a moment, and then keeps nothing. inactive_since and invalidation_reason came with
-- PostgreSQL 17.
SELECT s.slot_name AS name,
       s.slot_type AS kind,
       s.database,
       s.plugin,
       s.temporary,
       s.active,
       CASE WHEN s.restart_lsn IS NOT NULL
            THEN greatest(0, (here.lsn - s.restart_lsn)::bigint) END AS retained_bytes,
       s.wal_status,
       s.safe_wal_size AS safe_wal_bytes,
       (pg_catalog.to_jsonb(s) ->> 'inactive_since')::timestamptz AS inactive_since,
       pg_catalog.to_jsonb(s) ->> 'invalidation_reason' AS invalidation_reason
  FROM pg_catalog.pg_replication_slots AS s,
       (SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
                    THEN pg_catalog.pg_last_wal_replay_lsn()
                    ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) AS here
 ORDER BY s.slot_name::text COLLATE "C"
