-- Foreign keys as they were declared; the copies that partitions get are left out.
SELECT n.nspname,
       t.relname,
       con.conname,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.at)
          FROM pg_catalog.unnest(con.conkey) WITH ORDINALITY AS k(attnum, at)
          JOIN pg_catalog.pg_attribute AS a
            ON a.attrelid = con.conrelid AND a.attnum = k.attnum),
       rn.nspname || '.' || r.relname
  FROM pg_catalog.pg_constraint AS con
  JOIN pg_catalog.pg_class AS t ON t.oid = con.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_class AS r ON r.oid = con.confrelid
  JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
 WHERE con.contype = 'f' AND con.conparentid = 0
