-- Equal as long as nothing can have changed of what sequences are, which columns they feed and what
-- this role may read: the statistics system counts changes of the catalogs as those of any table. A
-- standby replays them uncounted, and has no state.
SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.md5(
           pg_catalog.concat_ws('/', pg_catalog.pg_postmaster_start_time(), d.datid, d.stats_reset,
               current_user,
               (SELECT pg_catalog.string_agg(pg_catalog.concat_ws('+',
                           pg_catalog.pg_stat_get_tuples_inserted(c.oid),
                           pg_catalog.pg_stat_get_tuples_updated(c.oid),
                           pg_catalog.pg_stat_get_tuples_deleted(c.oid)), '/' ORDER BY c.oid)
                  FROM pg_catalog.pg_class AS c
                 WHERE c.oid = ANY ('{pg_catalog.pg_class, pg_catalog.pg_attribute,
                       pg_catalog.pg_constraint, pg_catalog.pg_attrdef, pg_catalog.pg_namespace,
                       pg_catalog.pg_type, pg_catalog.pg_sequence, pg_catalog.pg_depend,
                       pg_catalog.pg_authid, pg_catalog.pg_auth_members}'
                       ::pg_catalog.regclass[]::pg_catalog.oid[])))) END,
       pg_catalog.clock_timestamp()
  FROM pg_catalog.pg_stat_database AS d
 WHERE d.datname = pg_catalog.current_database()
