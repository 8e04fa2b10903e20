"""Rules about maintenance, rights, replication, and what cannot be seen."""

from __future__ import annotations

from typing import Final

from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, Rule

MAINTENANCE: Final = (
    Rule(
        "table-rewritten", "error", "{detail} writes all of {name} again, with every index.",
        "Leave it to a maintenance window, or use a tool that copies online such as pg_repack.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "unlogged", "error",
        "SET UNLOGGED writes all of {name} again; from then on a crash empties it, and no replica "
        "has it.",
        "Keep a table that matters logged.", ACCESS_EXCLUSIVE,
    ),
    Rule(
        "lock-table", "error", "LOCK TABLE holds {name} until COMMIT.",
        "Let each statement take what it needs; no migration needs a lock of its own.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "refresh-blocks", "error",
        "REFRESH MATERIALIZED VIEW computes {name} under its lock.",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on the view.",
        ACCESS_EXCLUSIVE, grows=True,
    ),
    Rule(
        "refresh-empties", "error", "WITH NO DATA: every query of {name} fails until a refresh.",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY.", ACCESS_EXCLUSIVE,
    ),
    Rule(
        "enforcement-off", "error", "{detail}: what it enforces is not enforced meanwhile.",
        "Leave it on; change the rows in a way that it allows.", SHARE_ROW_EXCLUSIVE,
    ),
    Rule(
        "vacuum-off", "warning",
        "Without autovacuum {name} grows and its statistics age, until the wraparound stops it.",
        "Give the table its own thresholds instead.",
    ),
    Rule(
        "server-setting", "warning", "{detail}", "Not in a migration.",
    ),
    Rule(
        "sequence-restarted", "warning",
        "The sequence starts again at numbers that rows already have: INSERTs fail on the key.",
        "RESTART WITH a number above the highest in use.",
    ),
)  # fmt: skip

RIGHTS: Final = (
    Rule(
        "row-security-without-policy", "error",
        "Row security on {name} without a policy: everybody but its owner sees no row at all.",
        "CREATE POLICY first, in the same transaction.", ACCESS_EXCLUSIVE,
    ),
    Rule(
        "row-security-off", "error",
        "{detail} on {name}: rows that policies hid are visible from now on.",
        "Change the policy instead.", ACCESS_EXCLUSIVE,
    ),
    Rule(
        "policy-dropped", "warning",
        "Without the policy {detail} other rows of {name} are visible, or none.",
        "Put its successor in place in the same transaction.", ACCESS_EXCLUSIVE,
    ),
    Rule(
        "policy-opens-table", "warning",
        "The policy {detail} lets every role see every row of {name}, whatever other policies say.",
        "Name the roles and the rows.", ACCESS_EXCLUSIVE,
    ),
    Rule(
        "grant-to-public", "error",
        "{detail} to PUBLIC: every role of the server has the right, also future ones.",
        "Grant it to the roles that need it.",
    ),
    Rule(
        "rights-revoked", "warning",
        "REVOKE from {detail}: a running application that works with this right fails.",
        "First release a version that does not need the right.",
    ),
    Rule(
        "role-too-powerful", "error", "{detail}",
        "Give the role only the rights that it needs.",
    ),
    Rule(
        "password-in-file", "error",
        "A password in a migration is in version control and in the server's log.",
        "Set passwords outside migrations.",
    ),
    Rule(
        "definer-without-search-path", "warning",
        "SECURITY DEFINER without its own search_path: whoever may create objects in a schema of "
        "the caller's path runs code with the owner's rights.",
        "SET search_path = pg_catalog, pg_temp (and the schemas that it needs) on the function.",
    ),
    Rule(
        "owner-changes", "advice",
        "The former owner of {name} loses what ownership allowed.",
        "Make sure that the application does not work as the former owner.", ACCESS_EXCLUSIVE,
    ),
)  # fmt: skip

REPLICATION: Final = (
    Rule(
        "replica-identity-lost", "error",
        "{detail}: where {name} is published, UPDATE and DELETE on it fail from now on.",
        "Have a primary key, or REPLICA IDENTITY USING INDEX, in place before.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "replica-identity-full", "advice",
        "REPLICA IDENTITY FULL writes the whole old row into the WAL for every UPDATE and DELETE.",
        "A primary key or a unique index of NOT NULL columns as replica identity.",
        ACCESS_EXCLUSIVE,
    ),
    Rule(
        "publication-without-identity", "warning",
        "{detail} has no replica identity: once published, UPDATE and DELETE on it fail.",
        "Give it a primary key first.",
    ),
    Rule(
        "publication-shrinks", "error",
        "{detail}: subscribers stop receiving changes, and are not told.",
        "Let the subscribers know first.",
    ),
)  # fmt: skip

HIDDEN: Final = (
    Rule(
        "hidden-sql", "warning",
        "{detail}: what it executes is put together at run time, and cannot be looked at here.",
        "Write the statements into the migration as they are.",
    ),
    Rule(
        "hidden-call", "warning",
        "{detail}: what it does is decided elsewhere, and cannot be looked at here.",
        "Write the statements into the migration as they are, or lint with --catalogue.",
    ),
    Rule(
        "server-program", "error", "COPY ... PROGRAM runs a program on the database server.",
        "Never in a migration.",
    ),
)  # fmt: skip
