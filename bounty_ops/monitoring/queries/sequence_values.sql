-- Of sequences that the role may use and not select from: the last value, and NULL both for one that
-- was never used and for one that was set back.
SELECT s.seqrelid::bigint, pg_catalog.pg_sequence_last_value(s.seqrelid)
  FROM pg_catalog.pg_sequence AS s
 WHERE s.seqrelid = ANY (%(oids)s::bigint[]::oid[])
