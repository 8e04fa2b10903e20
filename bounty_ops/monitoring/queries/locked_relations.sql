-- Relations that cannot be opened now: somebody holds ACCESS EXCLUSIVE on them, or waits for it
-- and makes us queue behind. `own` says whether the relation itself is meant; the other rows are
-- tables whose index or TOAST table is locked, because measuring a table opens those too.
WITH locked AS (
    SELECT DISTINCT l.relation
      FROM pg_catalog.pg_locks AS l
     WHERE l.locktype = 'relation'
       AND l.mode = 'AccessExclusiveLock'
       AND l.database = (SELECT oid FROM pg_catalog.pg_database
                          WHERE datname = pg_catalog.current_database())
       AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
), with_toast AS (
    SELECT relation FROM locked
    UNION
    SELECT i.indrelid FROM pg_catalog.pg_index AS i JOIN locked ON locked.relation = i.indexrelid
)
SELECT relation, true AS own FROM locked
UNION ALL
SELECT relation, false FROM with_toast
UNION ALL
SELECT c.oid, false
  FROM pg_catalog.pg_class AS c JOIN with_toast ON with_toast.relation = c.reltoastrelid
