-- How many transactions ended in this database, and moments that change when that number is set back:
-- somebody reset it, or the server crashed.
SELECT pg_catalog.pg_stat_get_db_xact_commit(d.oid)
         + pg_catalog.pg_stat_get_db_xact_rollback(d.oid),
       pg_catalog.pg_stat_get_db_stat_reset_time(d.oid),
       (SELECT b.stats_reset FROM pg_catalog.pg_stat_bgwriter AS b)
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = pg_catalog.current_database()
