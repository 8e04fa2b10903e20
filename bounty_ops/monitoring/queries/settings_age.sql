-- Which server this is, and when it last read its configuration files.
SELECT pg_catalog.current_setting('server_version') AS server_version,
       pg_catalog.pg_conf_load_time() AS loaded_at
