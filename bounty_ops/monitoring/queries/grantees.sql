-- Schemas of users that hold tables or sequences, with the owners of these: whoever makes the next
-- sequence has to grant it beforehand.
SELECT n.nspname, pg_catalog.array_agg(DISTINCT r.rolname::text ORDER BY r.rolname::text)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
 WHERE c.relkind IN ('r', 'p', 'm', 'S')
   AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname NOT LIKE 'pg\_toast%'
 GROUP BY n.nspname
 ORDER BY n.nspname::text COLLATE "C"
