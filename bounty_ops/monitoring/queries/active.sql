-- Statements of this database that run at this moment, for sampling. A parallel worker is part of
-- its leader's statement. The text travels as bytes: a database in SQL_ASCII may hold any.
SELECT a.pid,
       a.usename,
       a.query_start,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.query_start)::float8,
       pg_catalog.convert_to(pg_catalog.left(a.query, 10000),
           CASE WHEN pg_catalog.getdatabaseencoding() = 'SQL_ASCII'
                THEN 'SQL_ASCII' ELSE 'UTF8' END)
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = pg_catalog.current_database()
   AND a.state IN ('active', 'fastpath function call')
   AND a.backend_type = 'client backend'
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.query_start IS NOT NULL
   AND a.query IS NOT NULL
