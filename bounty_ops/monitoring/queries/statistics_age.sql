-- Since when this database's counters count. NULL: they were never reset by hand, and the server
-- does not say when they began (15 and later; a crash empties them without a trace).
SELECT s.stats_reset,
       extract(epoch FROM pg_catalog.clock_timestamp() - s.stats_reset)::float8
  FROM pg_catalog.pg_stat_database AS s
 WHERE s.datname = pg_catalog.current_database()
