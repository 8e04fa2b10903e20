-- For the record and for making the copy; never compared. `settings` are names; `values` holds, for
-- every role (role null) or for one, also what they are set to, but for what may be a secret: what
-- extensions and applications call their own (with a dot) by a name that says so or with a value like
-- a token's, and whatever holds a password.
SELECT pg_catalog.jsonb_build_object(
         'encoding', pg_catalog.pg_encoding_to_char(d.encoding),
         'collate', d.datcollate,
         'ctype', d.datctype,
         'provider', pg_catalog.to_jsonb(d) ->> 'datlocprovider',
         'locale', coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale',
                            pg_catalog.to_jsonb(d) ->> 'daticulocale'),
         'icu_rules', pg_catalog.to_jsonb(d) ->> 'daticurules',
         'owner', pg_catalog.pg_get_userbyid(d.datdba),
         'connection_limit', d.datconnlimit,
         'acl', CASE WHEN d.datacl IS NOT NULL THEN (
             SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                        'grantee', CASE WHEN x.grantee <> 0
                                        THEN pg_catalog.pg_get_userbyid(x.grantee)::text END,
                        'privilege', x.privilege_type,
                        'grantable', x.is_grantable)
                      ORDER BY pg_catalog.pg_get_userbyid(x.grantee)::text COLLATE "C",
                               x.privilege_type COLLATE "C"), '[]')
               FROM pg_catalog.aclexplode(d.datacl) x) END,
         'lc_monetary', (SELECT s.reset_val FROM pg_catalog.pg_settings s
                          WHERE s.name = 'lc_monetary'),
         'settings', ARRAY(SELECT pg_catalog.split_part(setting, '=', 1)
                             FROM pg_catalog.pg_db_role_setting r,
                                  pg_catalog.unnest(r.setconfig) setting
                            WHERE r.setdatabase = d.oid ORDER BY 1),
         'values', (
             SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                        'role', s.role,
                        'name', s.name,
                        'value', CASE WHEN NOT (
                            pg_catalog.strpos(s.name, '.') > 0
                            AND (s.name ~* 'pass|pwd|secret|token|key|credential|auth|private|dsn'
                                 OR s.value ~ '^[A-Za-z0-9_+/=.-]{24,}$')
                            OR s.value ~* '://[^/@[:space:]]*:[^/@[:space:]]*@'
                            OR s.value ~* 'passw(or)?d[[:space:]]*=') THEN s.value END)
                      ORDER BY s.role COLLATE "C" NULLS FIRST, s.name COLLATE "C"), '[]')
               FROM (SELECT CASE WHEN r.setrole <> 0
                                 THEN pg_catalog.pg_get_userbyid(r.setrole)::text END,
                            pg_catalog.split_part(one, '=', 1),
                            pg_catalog.substr(one, pg_catalog.strpos(one, '=') + 1)
                       FROM pg_catalog.pg_db_role_setting r, pg_catalog.unnest(r.setconfig) one
                      WHERE r.setdatabase = d.oid) s (role, name, value)),
         'comment', pg_catalog.shobj_description(d.oid, 'pg_database'))
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
