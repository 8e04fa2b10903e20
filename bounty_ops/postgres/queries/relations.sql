-- Every table that pg_dump dumps, with what a fingerprint needs to know of it.
--
-- pg_dump leaves out system and temporary schemas, and members of extensions except for the rows
-- of their configuration tables that the extension's own condition selects.
SELECT c.oid,
       n.nspname,
       c.relname,
       c.relkind = 'p',
       coalesce(columns.names, '{}'),
       coalesce(columns.whole, '{}'),
       coalesce(columns.kinds, '{}'),
       (SELECT p.partstrat = 'h' FROM pg_catalog.pg_partitioned_table p WHERE p.partrelid = c.oid),
       (SELECT i.inhparent FROM pg_catalog.pg_inherits i
         WHERE c.relispartition AND i.inhrelid = c.oid),
       config.condition
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
       -- Whether a cast to text writes the value whole: for PostgreSQL's own types, unless the
       -- cast is a function that drops something, as that of char(n) drops blanks.
       SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attname::text COLLATE "C") AS names,
              pg_catalog.array_agg(
                t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND t.typtype = 'b'
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast k
                                 WHERE k.castsource = t.oid
                                   AND k.casttarget = 'pg_catalog.text'::pg_catalog.regtype
                                   AND k.castmethod = 'f'
                                   AND (k.oid >= 16384 OR t.typname NOT IN ('bool', 'name'))
                ) ORDER BY a.attname::text COLLATE "C") AS whole,
              pg_catalog.array_agg(
                CASE WHEN t.typtype = 'e' THEN 'enum'
                     WHEN t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
                          AND t.typtype = 'b' THEN t.typname::text
                     ELSE ''
                END ORDER BY a.attname::text COLLATE "C") AS kinds
         FROM pg_catalog.pg_attribute a
         JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       ) columns ON true
  LEFT JOIN LATERAL (
       SELECT e.extcondition[pg_catalog.array_position(e.extconfig, c.oid)] AS condition
         FROM pg_catalog.pg_extension e
        WHERE c.oid = ANY (e.extconfig)
        LIMIT 1
       ) config ON true
 WHERE c.relkind IN ('r', 'p')
   AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
   AND (config.condition IS NOT NULL OR NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.objid = c.oid
            AND d.deptype = 'e'))
 ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"
