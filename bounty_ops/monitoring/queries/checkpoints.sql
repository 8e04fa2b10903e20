-- Checkpoints, and on a standby restartpoints, from PostgreSQL 17 on. The number of those that were
-- carried out came with 18.
SELECT c.num_timed + c.restartpoints_timed AS checkpoints_timed,
       c.num_requested + c.restartpoints_req AS checkpoints_requested,
       (pg_catalog.to_jsonb(c) ->> 'num_done')::bigint + c.restartpoints_done AS checkpoints_done,
       c.write_time / 1000 AS checkpoint_write_seconds,
       c.sync_time / 1000 AS checkpoint_sync_seconds,
       c.buffers_written AS checkpoint_buffers,
       c.stats_reset AS checkpoints_stats_reset
  FROM pg_catalog.pg_stat_checkpointer AS c
