"""Rules about transactions, rows and names."""

from __future__ import annotations

from typing import Final

from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE, Rule

_BATCHES: Final = (
    "Change some thousand rows at a time by key, each batch in a transaction of its own."
)
_SHORT: Final = "SET lock_timeout = '2s' (or SET LOCAL inside the transaction) before it."
_TWO_RELEASES: Final = (
    "Let both names work for a while: a view or a second column for the old name, dropped when no "
    "running version uses it."
)

TRANSACTIONS: Final = (
    Rule(
        "syntax-error", "error", "This is not SQL that PostgreSQL reads: {detail}.",
        "Correct it; nothing below it in the same statement was looked at.",
    ),
    Rule(
        "version-too-old", "error", "PostgreSQL {detail}.",
        "Write it for the server's version, or lint with its --pg-major.",
    ),
    Rule(
        "always-fails", "error", "PostgreSQL refuses this: {detail}.",
        "Correct the migration; as it stands, it cannot be applied.",
    ),
    Rule(
        "refused-in-transaction", "error",
        "{detail} cannot run inside a transaction block (25001): this fails.",
        "Put it alone into a file without BEGIN; in an Alembic revision, into "
        "op.get_context().autocommit_block().",
    ),
    Rule(
        "refused-outside-transaction", "error",
        "{detail} has no effect outside a transaction block (25P01): this fails.",
        "Put BEGIN before it.",
    ),
    Rule(
        "set-local-without-effect", "warning",
        "SET LOCAL {detail} outside a transaction block does nothing but warn (25P01): what "
        "follows runs without it.",
        "Put BEGIN before it, or write SET.",
    ),
    Rule(
        "transaction-left-open", "error",
        "The transaction that begins here is not ended: its locks stay until the session ends, "
        "and then all of it is lost.",
        "End it with COMMIT.",
    ),
    Rule(
        "transaction-prepared", "warning",
        "PREPARE TRANSACTION keeps its locks, over disconnects and restarts, until somebody "
        "ends it.",
        "COMMIT.",
    ),
    Rule(
        "transaction-nested", "advice",
        "{detail} here only warns: the transactions are not what they look like.",
        "Pair every BEGIN with one COMMIT.",
    ),
    Rule(
        "lock-timeout-missing", "warning",
        "Nothing limits how long this waits for its lock, and everybody else waits behind it.",
        _SHORT + " Our own runner does so for every revision.",
    ),
    Rule(
        "lock-timeout-off", "warning",
        "lock_timeout is switched off here: this waits for its lock without limit, and everybody "
        "else waits behind it.",
        _SHORT,
    ),
    Rule(
        "lock-timeout-too-long", "warning",
        "lock_timeout is {detail}: for so long everybody else waits behind this lock request.",
        _SHORT,
    ),
    Rule(
        "lock-timeout-late", "warning",
        "lock_timeout is set further down, too late for the lock that is taken here.",
        _SHORT,
    ),
    Rule(
        "several-tables-locked", "warning",
        "This transaction already holds {detail}: locks on several tables are kept until COMMIT, "
        "and meet a session that takes them in another order as a deadlock.",
        "A transaction for each table.", ACCESS_EXCLUSIVE,
    ),
    Rule(
        "validation-under-lock", "error",
        "VALIDATE CONSTRAINT reads all rows of {name} under the strongest lock that any action of "
        "this ALTER TABLE takes: {detail}.",
        "An ALTER TABLE for VALIDATE CONSTRAINT alone, in a transaction of its own.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "lock-held-across-backfill", "error",
        "This changes many rows while the transaction holds {detail}, which is kept until COMMIT.",
        "Commit the change of the schema first. " + _BATCHES,
    ),
    Rule(
        "lock-held-across-scan", "error",
        "This reads many rows while the transaction holds {detail}, which is kept until COMMIT.",
        "Commit the change of the schema first.",
    ),
)  # fmt: skip

ROWS: Final = (
    Rule(
        "update-all-rows", "error",
        "UPDATE of every row of {name}: each stays locked until COMMIT, and each leaves a dead "
        "row behind.",
        _BATCHES, grows=True,
    ),
    Rule(
        "delete-all-rows", "error", "DELETE of every row of {name}.",
        "Name the rows; take a proved backup first. " + _BATCHES,
    ),
    Rule(
        "rows-not-in-batches", "warning",
        "Nothing limits how many rows of {name} one transaction changes or locks: {detail}.",
        _BATCHES, grows=True,
    ),
    Rule(
        "rows-copied-at-once", "advice",
        "INSERT ... SELECT writes in one transaction whatever the query finds.", _BATCHES,
    ),
    Rule(
        "truncate", "error", "TRUNCATE destroys every row of {name}{detail}.",
        "Delete what may go, in batches, after a proved backup.", ACCESS_EXCLUSIVE,
    ),
    Rule(
        "table-dropped", "error",
        "DROP of {name} destroys its rows, and every running version of the application that "
        "still uses it fails.",
        "First release a version that does not use it; drop it in a later migration, after a "
        "proved backup.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "cascade", "error",
        "CASCADE drops whatever depends on it, in any schema, without naming it{detail}.",
        "Drop each dependent object by name, and leave CASCADE away.", ACCESS_EXCLUSIVE,
    ),
    Rule(
        "object-dropped", "warning",
        "DROP of {detail}: a running version of the application that uses it fails.",
        "First release a version that does not use it; or replace it in the same transaction.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "uniqueness-dropped", "warning",
        "Nothing keeps {name} free of duplicates on {detail} from now on, and INSERT ... ON "
        "CONFLICT on these columns fails (42P10).",
        "Put another unique index in place first: CREATE UNIQUE INDEX CONCURRENTLY.",
    ),
    Rule(
        "statement-replaced", "error",
        "The rule takes the place of every statement of its kind on {name}: what the application "
        "asks for is not done, and it is not told.",
        "Take the right away instead, so that the statement fails and somebody notices.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "type-dropped", "advice",
        "DROP of {detail} fails where a column uses it, and so does a query that casts to it.",
        "First release a version that does not use it.",
    ),
    Rule(
        "database-dropped", "error", "{detail} destroys a database or all that a role owns.",
        "Never in a migration.",
    ),
)  # fmt: skip

NAMES: Final = (
    Rule(
        "rename-breaks-clients", "error",
        "{detail}: every running version of the application that uses the old name fails.",
        _TWO_RELEASES, ACCESS_EXCLUSIVE,
    ),
    Rule(
        "schema-move-breaks-clients", "error",
        "SET SCHEMA: every running version of the application that names {detail} fails.",
        _TWO_RELEASES, ACCESS_EXCLUSIVE,
    ),
    Rule(
        "enum-value-renamed", "error",
        "The label {detail}: a running application that writes or compares the old one fails.",
        "Add a new label, change the rows in batches, and stop using the old one.",
    ),
    Rule(
        "enum-value-used-at-once", "error",
        "The new label {detail} cannot be used in the transaction that added it (55P04).",
        "COMMIT after ADD VALUE; use the label in the next transaction.",
    ),
    Rule(
        "enum-value-stays", "advice",
        "PostgreSQL cannot remove a label again: the downgrade has to live with it.",
        "Nothing to do; make sure that the label is wanted.",
    ),
)  # fmt: skip
