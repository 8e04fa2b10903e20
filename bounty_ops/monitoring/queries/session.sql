-- What this session is and may see; decides which measures can be trusted.
SELECT pg_catalog.current_setting('server_version_num')::integer,
       pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
       pg_catalog.getdatabaseencoding() = 'SQL_ASCII'
