-- What changes of an index from one collection to the next; see table_counters. Indexes of TOAST
-- tables are left out.
SELECT i.indexrelid::bigint,
       i.indrelid::bigint,
       c.relfilenode::bigint,
       c.relpages,
       c.reltuples::float8,
       pg_catalog.pg_stat_get_numscans(c.oid),
       pg_catalog.pg_stat_get_tuples_returned(c.oid),
       --16: pg_catalog.pg_stat_get_lastscan(c.oid)
       NULL::timestamptz --<16
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
 WHERE c.relkind = 'i' AND i.indrelid >= 16384 AND c.relpersistence <> 't'
   AND c.relnamespace <> 'pg_toast'::pg_catalog.regnamespace
