-- Columns that sequences feed: the one that owns the sequence (serial and identity columns), every
-- column whose default takes its next value, whoever owns it, and columns that refer to one of those
-- by a foreign key. A default that finds its sequence by name when it runs has no dependency: it
-- comes with that name, or, where it is put together otherwise, with an empty one.
WITH RECURSIVE sequence AS (
    SELECT seqrelid FROM pg_catalog.pg_sequence
), fed AS (
    SELECT d.objid AS sequence, NULL AS named, d.refobjid AS relation, d.refobjsubid AS number
      FROM pg_catalog.pg_depend AS d JOIN sequence ON seqrelid = d.objid
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, NULL, f.adrelid, f.adnum
      FROM pg_catalog.pg_attrdef AS f
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      JOIN sequence ON seqrelid = d.refobjid
    UNION
    SELECT NULL,
           coalesce(pg_catalog.substring(pg_catalog.pg_get_expr(f.adbin, f.adrelid),
               $re$nextval\(\(?'((?:[^']|'')+)'::text\)$re$), ''),
           f.adrelid, f.adnum
      FROM pg_catalog.pg_attrdef AS f
     WHERE pg_catalog.strpos(f.adbin::text,
               ':funcid ' || 'pg_catalog.nextval(regclass)'::pg_catalog.regprocedure::oid || ' ')
           > 0
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d JOIN sequence ON seqrelid = d.refobjid
                        WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                          AND d.objid = f.oid
                          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
), referring AS (
    SELECT fed.sequence, fed.named, k.conrelid AS relation, keys.here AS number
      FROM fed
      JOIN pg_catalog.pg_constraint AS k ON k.contype = 'f' AND k.confrelid = fed.relation
      CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey))
           AS keys (here, there)
     WHERE keys.there = fed.number
), candidate AS (
    SELECT fed.*, true AS direct FROM fed
    UNION ALL
    SELECT referring.*, false FROM referring
), base (type, domain, modifier) AS (
    SELECT t.typbasetype, t.oid, t.typtypmod FROM pg_catalog.pg_type AS t WHERE t.typtype = 'd'
    UNION ALL
    SELECT t.typbasetype, b.domain, t.typtypmod
      FROM base AS b JOIN pg_catalog.pg_type AS t ON t.oid = b.type AND t.typtype = 'd'
)
SELECT x.sequence::bigint,
       x.named,
       n.nspname,
       c.relname,
       a.attname,
       coalesce(t.typname, y.typname),
       CASE WHEN t.oid IS NULL THEN a.atttypmod ELSE b.modifier END,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       x.direct AND NOT c.relispartition
  FROM candidate AS x
  JOIN pg_catalog.pg_class AS c ON c.oid = x.relation
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = x.relation AND a.attnum = x.number
  JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid
  LEFT JOIN base AS b
    ON b.domain = a.atttypid
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS u WHERE u.oid = b.type AND u.typtype = 'd')
  LEFT JOIN pg_catalog.pg_type AS t ON t.oid = b.type
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND c.relpersistence <> 't'
 ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C", a.attnum
