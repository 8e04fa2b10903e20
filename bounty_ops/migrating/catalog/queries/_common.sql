-- Stands before every other statement here. relation: what schema public has of its own, without
-- what extensions brought along and without partitions, which follow their parent.
WITH space (oid) AS (
    SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public'
), member (class, oid) AS (
    SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
), relation AS (
    SELECT c.*
      FROM pg_catalog.pg_class c
      JOIN space ON space.oid = c.relnamespace
     WHERE NOT c.relispartition
       AND c.relpersistence <> 't'
       AND NOT EXISTS (SELECT FROM member m
                        WHERE m.class = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND m.oid = c.oid)
)
