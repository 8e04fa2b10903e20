-- How many collections of this database began before this one and still go on.
SELECT pg_catalog.count(*)
  FROM pg_catalog.pg_stat_activity AS own
  JOIN pg_catalog.pg_stat_activity AS a
    ON a.datid = own.datid
   AND a.application_name = own.application_name
   AND (a.backend_start, a.pid) < (own.backend_start, own.pid)
 WHERE own.pid = pg_catalog.pg_backend_pid()
