-- How much WAL the server has written; its position is never reset.
SELECT (CASE WHEN pg_catalog.pg_is_in_recovery()
             THEN pg_catalog.pg_last_wal_replay_lsn()
             ELSE pg_catalog.pg_current_wal_lsn() END - '0/0'::pg_catalog.pg_lsn)::bigint
           AS wal_position,
       w.wal_bytes::bigint AS wal_bytes,
       w.wal_records,
       w.wal_fpi AS wal_full_page_images,
       w.wal_buffers_full,
       w.stats_reset AS wal_stats_reset
  FROM pg_catalog.pg_stat_wal AS w
