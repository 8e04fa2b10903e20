-- Whether WAL is archived, if that is switched on.
SELECT a.archived_count AS archived,
       a.failed_count AS archive_failures,
       a.last_archived_time AS last_archived_at,
       a.last_failed_time AS last_archive_failure_at
  FROM pg_catalog.pg_stat_archiver AS a
 WHERE pg_catalog.current_setting('archive_mode') <> 'off'
