-- Client connections of the whole server, in groups. A role without pg_read_all_stats sees
-- everybody's database and user, but NULL for state and backend_type of other roles' sessions:
-- those rows are counted as clients (a background worker among them makes the count too high,
-- never too low) and marked hidden.
SELECT a.datname,
       a.usename,
       a.application_name,
       CASE WHEN a.backend_type IS NULL THEN NULL ELSE coalesce(a.state, 'starting') END,
       a.backend_type IS NULL AS hidden,
       pg_catalog.count(*)
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.backend_type = 'client backend'
    OR (a.backend_type IS NULL AND a.datid IS NOT NULL AND a.usesysid IS NOT NULL)
 GROUP BY 1, 2, 3, 4, 5
