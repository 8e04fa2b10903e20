-- Of sequences that the role may use and not select from: the last value, and NULL both for one that
-- was never used and for one that was set back.
SELECT one, pg_catalog.pg_sequence_last_value(one::oid)
  FROM pg_catalog.unnest(%(oids)s::bigint[]) AS one
