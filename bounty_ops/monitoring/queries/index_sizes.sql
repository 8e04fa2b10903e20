-- Opens each of the given indexes (ACCESS SHARE), and nothing else.
SELECT c.oid, pg_catalog.pg_relation_size(c.oid)
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = ANY (%(oids)s::oid[])
