-- Those of partitions that come from the parent's trigger go with it, unless somebody has switched
-- one on or off for this partition alone. Foreign keys' own triggers are no part of any dump.
SELECT pg_catalog.format('%I.%I: %s, enabled %s', n.nspname, c.relname,
                         pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled)
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE CASE WHEN t.tgparentid = 0 THEN NOT t.tgisinternal
            ELSE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                              WHERE k.oid = t.tgconstraint AND k.contype <> 't')
                 AND EXISTS (SELECT FROM pg_catalog.pg_trigger parent
                              WHERE parent.oid = t.tgparentid
                                AND parent.tgenabled <> t.tgenabled) END
   AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
