-- What no session stands for: prepared transactions of this database with the age of the oldest,
-- and followers of this server that the role may not look into.
SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts AS p
         WHERE p.database = pg_catalog.current_database()),
       (SELECT coalesce(max(extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)), 0)
               ::float8
          FROM pg_catalog.pg_prepared_xacts AS p
         WHERE p.database = pg_catalog.current_database()),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication AS r WHERE r.state IS NULL)
