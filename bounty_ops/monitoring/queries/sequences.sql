-- Every sequence of users, whether this role may read it, and whether somebody is in the way: who
-- holds, or waits for, ACCESS EXCLUSIVE. An unlogged one cannot be read on a standby. Sequences of
-- extensions are left out, and so are the temporary ones of other sessions.
SELECT s.seqrelid::bigint,
       n.nspname,
       c.relname,
       s.seqincrement,
       s.seqmin,
       s.seqmax,
       s.seqcycle,
       CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
             AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'relation'
            WHEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE') THEN 'function'
            ELSE 'denied' END,
       CASE WHEN c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery() THEN 'unlogged'
            WHEN EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                          WHERE l.locktype = 'relation' AND l.relation = c.oid
                            AND l.mode = 'AccessExclusiveLock'
                            AND l.database = (SELECT oid FROM pg_catalog.pg_database
                                               WHERE datname = pg_catalog.current_database()))
            THEN 'locked' END
  FROM pg_catalog.pg_sequence AS s
  JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND c.relpersistence <> 't'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"
