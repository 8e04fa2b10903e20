-- Everything that can refuse the next connection to this database. reserved_connections came
-- with PostgreSQL 16. The limit of a role counts where the role is connected to this database,
-- and that of our own role in any case.
SELECT 'server',
       NULL,
       pg_catalog.current_setting('max_connections')::integer
       - pg_catalog.current_setting('superuser_reserved_connections')::integer
       - coalesce(pg_catalog.current_setting('reserved_connections', true)::integer, 0)
UNION ALL
SELECT 'database', d.datname, d.datconnlimit
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = pg_catalog.current_database() AND d.datconnlimit >= 0
UNION ALL
SELECT 'role', r.rolname, r.rolconnlimit
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolconnlimit >= 0
   AND NOT r.rolsuper
   AND (r.rolname = session_user
        OR EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a
                    WHERE a.usesysid = r.oid AND a.datname = pg_catalog.current_database()))
