-- One row of what tables and indexes are judged by: whether the catalogs are still as they were
-- (the statistics system counts changes of the catalogs as those of any table; a standby replays
-- them uncounted), and the settings that decide when autovacuum comes.
SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.md5(
           pg_catalog.concat_ws('/', pg_catalog.pg_postmaster_start_time(), d.stats_reset,
               (SELECT pg_catalog.string_agg(pg_catalog.concat_ws('+',
                           pg_catalog.pg_stat_get_tuples_inserted(c.oid),
                           pg_catalog.pg_stat_get_tuples_updated(c.oid),
                           pg_catalog.pg_stat_get_tuples_deleted(c.oid)), '/' ORDER BY c.oid)
                  FROM pg_catalog.pg_class AS c
                 WHERE c.oid = ANY ('{pg_catalog.pg_class, pg_catalog.pg_attribute,
                       pg_catalog.pg_index, pg_catalog.pg_constraint, pg_catalog.pg_attrdef,
                       pg_catalog.pg_namespace, pg_catalog.pg_type}'::pg_catalog.regclass[]
                       ::pg_catalog.oid[])))) END,
       pg_catalog.clock_timestamp(),
       d.stats_reset,
       pg_catalog.current_setting('block_size')::integer,
       pg_catalog.current_setting('autovacuum')::boolean
           AND pg_catalog.current_setting('track_counts')::boolean,
       pg_catalog.current_setting('autovacuum_vacuum_threshold')::float8,
       pg_catalog.current_setting('autovacuum_vacuum_scale_factor')::float8,
       pg_catalog.current_setting('autovacuum_vacuum_max_threshold', true)::float8,
       pg_catalog.current_setting('autovacuum_vacuum_insert_threshold')::float8,
       pg_catalog.current_setting('autovacuum_vacuum_insert_scale_factor')::float8,
       pg_catalog.current_setting('autovacuum_freeze_max_age')::integer,
       pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::integer
  FROM pg_catalog.pg_stat_database AS d
 WHERE d.datname = pg_catalog.current_database()
