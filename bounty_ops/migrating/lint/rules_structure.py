"""Rules about tables: their columns, constraints, indexes and partitions."""

from __future__ import annotations

from typing import Final

from bounty_ops.migrating.lint.rule import (
    ACCESS_EXCLUSIVE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    Rule,
)

_NOT_VALID: Final = (
    "Add it NOT VALID (only a brief lock), then VALIDATE CONSTRAINT in a transaction of its own: "
    "that scan lets reads and writes go on."
)
_EXPAND: Final = (
    "Add a new column, fill it in batches, keep both up to date with a trigger, then let the "
    "application change over; drop the old one in a later release."
)
_USING_INDEX: Final = (
    "Build it first with CREATE UNIQUE INDEX CONCURRENTLY, alone and outside a transaction, then "
    "ADD CONSTRAINT ... USING INDEX, which only takes a brief lock."
)

INDEXES: Final = (
    Rule(
        "index-blocks-writes", "error",
        "CREATE INDEX without CONCURRENTLY scans {name} and builds the index under its lock."
        "{detail}",
        "CREATE INDEX CONCURRENTLY, alone in its file and outside a transaction; on a partitioned "
        "table: CREATE INDEX ON ONLY, then CONCURRENTLY on each partition, then ATTACH PARTITION.",
        SHARE, grows=True,
    ),
    Rule(
        "index-drop-blocks", "warning",
        "DROP INDEX without CONCURRENTLY locks {name} against reads as well, behind every "
        "transaction that uses it.",
        "DROP INDEX CONCURRENTLY, alone in its file and outside a transaction.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "index-drop-concurrently", "advice",
        "Queries that use the index become slower at once.",
        "Look at pg_stat_user_indexes first: idx_scan says whether anybody uses it.",
        SHARE_UPDATE_EXCLUSIVE,
    ),
    Rule(
        "index-accepts-invalid", "warning",
        "After a failed attempt, an INVALID index of that name is still there, and IF NOT EXISTS "
        "takes it for the finished one: {detail}",
        "DROP INDEX CONCURRENTLY IF EXISTS before it, and leave IF NOT EXISTS away; our runner "
        "finds INVALID indexes and builds them again.",
        SHARE_UPDATE_EXCLUSIVE,
    ),
    Rule(
        "index-is-another", "warning",
        "An index {detail} is there already, of other columns: IF NOT EXISTS looks at the name "
        "alone, and this one is never made.",
        "Give it a name of its own.", None,
    ),
    Rule(
        "index-concurrently-can-fail", "advice",
        "Where the rows hold duplicates, this fails and leaves an INVALID index behind, which "
        "slows down writes.",
        "Look for duplicates first; after a failure DROP INDEX CONCURRENTLY and try again.",
        SHARE_UPDATE_EXCLUSIVE,
    ),
    Rule(
        "reindex-blocks", "error",
        "REINDEX builds every index of {name} again under locks; reads that would use one of "
        "them wait too.",
        "REINDEX ... CONCURRENTLY, alone in its file and outside a transaction.",
        SHARE, grows=True,
    ),
)  # fmt: skip

COLUMNS: Final = (
    Rule(
        "column-rewrites-table", "error",
        "ADD COLUMN writes every row of {name} again, and every index: {detail}.",
        "Add the column without it, SET DEFAULT for new rows, fill the old rows in batches.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "column-scans-table", "error",
        "ADD COLUMN with {detail} reads all rows of {name} to prove it.",
        "Add the column alone, then the constraint NOT VALID, then VALIDATE CONSTRAINT in a "
        "transaction of its own.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "column-builds-index", "error",
        "ADD COLUMN with {detail} builds an index on {name} under its lock.",
        "Add the column alone. " + _USING_INDEX,
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "column-not-null-without-default", "error",
        "ADD COLUMN ... NOT NULL without a default fails as soon as {name} has a row.",
        "Give it a constant default (no rewrite), or add it nullable, fill it in batches, and "
        "make it NOT NULL with a validated check.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "column-references", "advice",
        "ADD COLUMN ... REFERENCES without a default scans nothing, but locks {detail} as well.",
        "Keep it alone in its transaction, with a short lock_timeout.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "column-json", "advice",
        "Type json has no equality: SELECT DISTINCT, UNION and GROUP BY over the column fail.",
        "Use jsonb.",
    ),
    Rule(
        "column-dropped", "error",
        "DROP COLUMN {detail} destroys the values in it, and every running version of the "
        "application that still names the column fails.",
        "First release a version that does not use the column; drop it in a later migration, "
        "after a proved backup.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "default-dropped-from-not-null", "warning",
        "Without its default the column {detail} must be named by every INSERT: it is NOT NULL, "
        "and a running application that leaves it out fails.",
        "Keep the default until every running version writes the column.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "default-dropped", "advice",
        "If {detail} is NOT NULL, every INSERT that leaves it out fails from now on.",
        "Make sure that every running version writes the column.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "identity-dropped", "warning",
        "Nothing fills {detail} from now on: INSERTs that leave it out fail, as it is NOT NULL.",
        "Keep it until every running version brings its own value.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "not-null-scans", "error",
        "SET NOT NULL reads all rows of {name}, and fails if one of them is null in {detail}.",
        "ADD CONSTRAINT ... CHECK ({detail} IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT in a "
        "transaction of its own, then SET NOT NULL (which then scans nothing) and drop the check.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "not-null-probably-proved", "advice",
        "SET NOT NULL on {detail} scans nothing only if a validated CHECK ({detail} IS NOT NULL) "
        "is there; the file looks as if.",
        "Lint with --catalogue or --history to be sure.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "type-rewrites-table", "error",
        "The new type of {detail}: every row of {name} and every index is written again.",
        _EXPAND, ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "type-may-rewrite", "advice",
        "Whether the new type costs anything depends on the old one, which is not known here: "
        "{detail}.",
        "Lint with --catalogue or --history to be sure.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "type-changes-time-zone", "error",
        "{detail}: outside a session in UTC every row of {name} is written again, and in any "
        "session its time zone decides what the stored times mean from now on.",
        "SET LOCAL timezone = 'UTC' before it if the values are in UTC (then no row is written), "
        "or " + _EXPAND[0].lower() + _EXPAND[1:],
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "type-rebuilds-index", "error",
        "The rows of {name} stay, but {detail} built again under the lock.",
        _EXPAND, ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "type-rechecks-rows", "error",
        "The rows of {name} stay, but all of them are read to check {detail} again.",
        "Drop the check before, and put it back NOT VALID after the change; then VALIDATE "
        "CONSTRAINT in a transaction of its own.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "collation-rebuilds-index", "error",
        "Another collation for {detail}: every index on the column is built again.",
        _EXPAND, ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "expression-rewrites-table", "error",
        "SET EXPRESSION computes {detail} anew for every row of {name}, which is written again.",
        _EXPAND, ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "virtual-column-scans", "error",
        "{detail} is computed for every row of {name} to prove a constraint.",
        "Add the constraint NOT VALID and validate it in a transaction of its own.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
)  # fmt: skip

CONSTRAINTS: Final = (
    Rule(
        "check-scans", "error",
        "ADD CONSTRAINT ... CHECK reads all rows of {name}, and fails on the first that breaks it.",
        _NOT_VALID, ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "not-null-constraint-scans", "error",
        "ADD CONSTRAINT ... NOT NULL reads all rows of {name}, and fails on the first null.",
        _NOT_VALID, ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "foreign-key-scans", "error",
        "ADD FOREIGN KEY checks every row of {name} while it and {detail} are locked.",
        _NOT_VALID, SHARE_ROW_EXCLUSIVE, grows=True,
    ),
    Rule(
        "constraint-enforced-scans", "error",
        "ALTER CONSTRAINT ... ENFORCED checks every row of {name}.",
        "Drop it, add it again NOT VALID, then VALIDATE CONSTRAINT in a transaction of its own.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "unique-builds-index", "error",
        "ADD {detail} builds an index on {name} under its lock, and fails on duplicates.",
        _USING_INDEX, ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "exclusion-builds-index", "error",
        "ADD EXCLUDE builds an index on {name} under its lock; no form of it is online.",
        "Create the constraint with the table, or copy the rows into a new table in batches.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "primary-key-scans", "error",
        "ADD PRIMARY KEY USING INDEX makes {detail} NOT NULL, which reads all rows of {name}.",
        "Make the column NOT NULL first, with a validated check.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "primary-key-may-scan", "advice",
        "If a column of the index is nullable, this reads all rows of {name} to make it NOT NULL.",
        "Lint with --catalogue or --history to be sure.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "constraint-not-enforced", "warning",
        "From now on nothing checks {detail} of {name}.",
        "Keep it enforced; a NOT VALID constraint at least checks new rows.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "primary-key-dropped", "warning",
        "Dropping the primary key {detail} of {name}: {name} loses what identifies its rows.",
        "Put the new key in place first, in the same transaction.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "domain-scans", "error",
        "ALTER DOMAIN {detail} reads every table that has a column of the domain, and blocks "
        "writes to them meanwhile.",
        "Leave it NOT VALID, which checks new values, and put a CHECK on each table instead: NOT "
        "VALID, then VALIDATE CONSTRAINT. Validating that of the domain blocks writes as well.",
        SHARE, grows=True,
    ),
)  # fmt: skip

PARTITIONS: Final = (
    Rule(
        "attach-scans", "error",
        "ATTACH PARTITION reads all rows of {name} to prove that they fit.",
        "Add a CHECK that says the same as the bounds, NOT VALID, and VALIDATE it before; the "
        "scan is then left out. Drop it afterwards.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "attach-scans-default", "error",
        "The DEFAULT partition {name} is read to prove that it holds none of the new rows.",
        "Add a CHECK to the default partition that excludes the new bounds, NOT VALID, and "
        "VALIDATE it before.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "detach-blocks", "warning",
        "DETACH PARTITION without CONCURRENTLY locks the whole partitioned table {name}.",
        "DETACH PARTITION ... CONCURRENTLY, alone in its file and outside a transaction.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "partition-of-blocks", "warning",
        "CREATE TABLE ... PARTITION OF locks the whole partitioned table {name}{detail}.",
        "CREATE TABLE ... (LIKE {name}), then ALTER TABLE {name} ATTACH PARTITION, which lets "
        "reads and writes go on.",
        ACCESS_EXCLUSIVE,
    ),
)  # fmt: skip
