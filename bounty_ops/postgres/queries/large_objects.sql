-- One row: how many large objects there are, and the sum of hashes over all their bytes.
--
-- Read through lo_get in pieces, not from the pages of pg_largeobject: a restore writes other
-- pages where the original had a hole. An empty large object counts with its one empty piece.
WITH RECURSIVE piece (loid, start, bytes) AS (
    SELECT m.oid, 0::bigint, pg_catalog.lo_get(m.oid, 0, 1048576)
      FROM pg_catalog.pg_largeobject_metadata m
    UNION ALL
    SELECT p.loid, p.start + 1048576, pg_catalog.lo_get(p.loid, p.start + 1048576, 1048576)
      FROM piece p
     WHERE pg_catalog.length(p.bytes) = 1048576
), described (start, body) AS (
    SELECT p.start, pg_catalog.format('%s %s %s', p.loid, p.start, p.bytes) COLLATE "C"
      FROM piece p
)
SELECT pg_catalog.count(*) FILTER (WHERE start = 0),
       coalesce(pg_catalog.sum(pg_catalog.hashtextextended(body, 1)), 0)
  FROM described
