-- Indexes that are being built in this database now. The view hides the index (NULL) from roles
-- that may not see the builder's activity.
SELECT p.index_relid::bigint, p.phase, p.blocks_done, p.blocks_total
  FROM pg_catalog.pg_stat_progress_create_index AS p
 WHERE p.datid = (SELECT oid FROM pg_catalog.pg_database
                   WHERE datname = pg_catalog.current_database())
