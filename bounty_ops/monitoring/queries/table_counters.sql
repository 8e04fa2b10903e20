-- What changes of a table from one collection to the next: counters of the statistics system and
-- numbers of the catalog. Nothing is opened, sorted or made into text (rows travel in binary).
-- Everything that users made has an oid from 16384 on.
SELECT c.oid::bigint,
       c.relfilenode::bigint,
       coalesce(t.relfilenode, 0)::bigint,
       (c.relpages::bigint << 32) | coalesce(t.relpages, 0),
       pg_catalog.pg_stat_get_vacuum_count(c.oid) + pg_catalog.pg_stat_get_autovacuum_count(c.oid),
       c.reltuples::float8,
       pg_catalog.age(c.relfrozenxid),
       pg_catalog.mxid_age(c.relminmxid),
       pg_catalog.pg_stat_get_live_tuples(c.oid),
       pg_catalog.pg_stat_get_dead_tuples(c.oid),
       pg_catalog.pg_stat_get_mod_since_analyze(c.oid),
       pg_catalog.pg_stat_get_ins_since_vacuum(c.oid),
       pg_catalog.pg_stat_get_numscans(c.oid),
       pg_catalog.pg_stat_get_tuples_returned(c.oid),
       pg_catalog.pg_stat_get_tuples_inserted(c.oid),
       pg_catalog.pg_stat_get_tuples_updated(c.oid),
       pg_catalog.pg_stat_get_tuples_deleted(c.oid),
       pg_catalog.pg_stat_get_last_vacuum_time(c.oid),
       pg_catalog.pg_stat_get_last_autovacuum_time(c.oid),
       pg_catalog.pg_stat_get_last_analyze_time(c.oid),
       pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid),
       --16: pg_catalog.pg_stat_get_lastscan(c.oid),
       NULL::timestamptz, --<16
       --18: CASE WHEN c.relpages > 0 THEN 1 - least(c.relallfrozen::float8 / c.relpages, 1) ELSE 1 END
       1::float8 --<18
  FROM pg_catalog.pg_class AS c
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
 WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384 AND c.relpersistence <> 't'
