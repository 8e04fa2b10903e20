-- Whether the role sees the settings that are for superusers only.
SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
