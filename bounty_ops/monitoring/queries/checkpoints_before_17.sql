-- Checkpoints, and on a standby restartpoints, until PostgreSQL 16.
SELECT b.checkpoints_timed,
       b.checkpoints_req AS checkpoints_requested,
       NULL::bigint AS checkpoints_done,
       b.checkpoint_write_time / 1000 AS checkpoint_write_seconds,
       b.checkpoint_sync_time / 1000 AS checkpoint_sync_seconds,
       b.buffers_checkpoint AS checkpoint_buffers,
       b.stats_reset AS checkpoints_stats_reset
  FROM pg_catalog.pg_stat_bgwriter AS b
