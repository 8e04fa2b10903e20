-- Without NOT NULL (18 and later catalogue it; the column says it), without those that partitions
-- and children have from their parents, and without triggers, which are listed as such.
SELECT CASE WHEN k.conrelid = 0 THEN 'domain_constraint' ELSE 'constraint' END,
       ARRAY[coalesce(c.relname, t.typname)::text, k.conname::text], 'pg_constraint', k.oid, 0,
       pg_catalog.jsonb_build_object(
         'definition',
           pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID$', ''),
         'validity', CASE WHEN NOT k.convalidated
                           AND pg_catalog.pg_get_constraintdef(k.oid) ~ ' NOT VALID$'
                          THEN 'not valid' ELSE 'valid' END,
         'index_parameters', (SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE "C")
                                FROM pg_catalog.pg_class x, pg_catalog.unnest(x.reloptions) o
                               WHERE x.oid = k.conindid AND k.contype IN ('p', 'u', 'x')),
         'clustered', (SELECT 'clustered' FROM pg_catalog.pg_index i
                        WHERE i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
                          AND i.indisclustered),
         'triggers', CASE WHEN k.contype = 'f' AND EXISTS (
                               SELECT FROM pg_catalog.pg_trigger g
                                WHERE g.tgconstraint = k.oid AND g.tgenabled <> 'O')
                          THEN 'disabled' END),
       pg_catalog.jsonb_build_object(
         'form', CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique'
                                WHEN 'f' THEN 'foreign key' WHEN 'x' THEN 'exclude'
                                ELSE 'check' END,
         'deferrable', CASE WHEN k.condeferrable THEN 'yes' END)
  FROM pg_catalog.pg_constraint k
  LEFT JOIN relation c ON c.oid = k.conrelid AND c.relkind IN ('r', 'p', 'f')
  LEFT JOIN pg_catalog.pg_type t ON t.oid = k.contypid
   AND t.typnamespace = (SELECT space.oid FROM space)
   AND NOT EXISTS (SELECT FROM member m
                    WHERE m.class = 'pg_catalog.pg_type'::pg_catalog.regclass AND m.oid = t.oid)
 WHERE k.contype IN ('p', 'u', 'f', 'x', 'c')
   AND k.conparentid = 0
   AND (k.conislocal OR k.coninhcount = 0)
   AND coalesce(c.oid, t.oid) IS NOT NULL
