-- Prepared transactions that hold a lock on what these sessions wait for. pg_locks has no process
-- for them; which is which is told by the lock that each holds on its own transaction id.
SELECT w.pid,
       w.mode,
       h.mode,
       p.gid,
       p.owner,
       extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::float8
  FROM pg_catalog.pg_locks AS w
  JOIN pg_catalog.pg_locks AS h
    ON h.granted
   AND h.pid IS NULL
   AND h.locktype = w.locktype
   AND h.database IS NOT DISTINCT FROM w.database
   AND h.relation IS NOT DISTINCT FROM w.relation
   AND h.page IS NOT DISTINCT FROM w.page
   AND h.tuple IS NOT DISTINCT FROM w.tuple
   AND h.virtualxid IS NOT DISTINCT FROM w.virtualxid
   AND h.transactionid IS NOT DISTINCT FROM w.transactionid
   AND h.classid IS NOT DISTINCT FROM w.classid
   AND h.objid IS NOT DISTINCT FROM w.objid
   AND h.objsubid IS NOT DISTINCT FROM w.objsubid
  JOIN pg_catalog.pg_locks AS own
    ON own.pid IS NULL
   AND own.locktype = 'transactionid'
   AND own.virtualtransaction = h.virtualtransaction
  JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = own.transactionid
 WHERE NOT w.granted AND w.pid = ANY (%(pids)s::integer[])
