-- For the record and for making the copy; never compared. Only names of settings: their values
-- may be secrets.
SELECT pg_catalog.jsonb_build_object(
         'encoding', pg_catalog.pg_encoding_to_char(d.encoding),
         'collate', d.datcollate,
         'ctype', d.datctype,
         'provider', pg_catalog.to_jsonb(d) ->> 'datlocprovider',
         'locale', coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale',
                            pg_catalog.to_jsonb(d) ->> 'daticulocale'),
         'icu_rules', pg_catalog.to_jsonb(d) ->> 'daticurules',
         'owner', pg_catalog.pg_get_userbyid(d.datdba),
         'lc_monetary', (SELECT s.reset_val FROM pg_catalog.pg_settings s
                          WHERE s.name = 'lc_monetary'),
         'settings', ARRAY(SELECT pg_catalog.split_part(setting, '=', 1)
                             FROM pg_catalog.pg_db_role_setting r,
                                  pg_catalog.unnest(r.setconfig) setting
                            WHERE r.setdatabase = d.oid ORDER BY 1),
         'comment', pg_catalog.shobj_description(d.oid, 'pg_database'))
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
