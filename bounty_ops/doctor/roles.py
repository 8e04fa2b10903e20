"""Whether the role of a connection may do what each job needs: back up, monitor, migrate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.doctor.result import CheckResult, State, ok
from bounty_ops.postgres.relations import query

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg
    from psycopg.rows import TupleRow

_SHOWN: Final = 3

_MONITORING: Final = """
SELECT name FROM unnest(ARRAY['pg_read_all_stats', 'pg_read_all_settings', 'pg_stat_scan_tables'])
    AS name
 WHERE NOT pg_catalog.pg_has_role(current_user, name, 'USAGE')
 ORDER BY name
"""

#: What Alembic's tables and Bounty's need; `pg_` schemas and those of extensions are not migrated.
_MIGRATION: Final = """
SELECT 'may not create schemas in the database'
 WHERE pg_catalog.to_regnamespace('bounty_ops') IS NULL
   AND NOT pg_catalog.has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT 'may not create tables in the schema ' || n.nspname
  FROM pg_catalog.pg_namespace n
 WHERE n.nspname IN ('public', 'bounty_ops')
   AND NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE')
UNION ALL
SELECT 'does not own ' || pg_catalog.format('%I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'bounty_ops')
   AND NOT pg_catalog.pg_has_role(current_user, c.relowner, 'USAGE')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
"""


def backup_role(subject: str, connection: psycopg.Connection[TupleRow]) -> CheckResult:
    """Whether pg_dump could read everything, and all rows of it; what the preflight asks."""
    rows = sorted(connection.execute(query("unreadable.sql")).fetchall())
    unreadable = [label for label, why in rows if why != "policy"]
    if unreadable:
        found = f"may not read {_listed(unreadable)}"
    elif rows:
        found = f"row-level security hides rows of {_listed([label for label, _ in rows])}"
    else:
        return ok("backup role", subject, "may read everything")
    return CheckResult("backup role", subject, State.FAILED, found, _grants(subject, "backup"))


def monitoring_role(subject: str, connection: psycopg.Connection[TupleRow]) -> CheckResult:
    """Whether collections would see other roles' sessions and all settings."""
    missing = [row[0] for row in connection.execute(_MONITORING).fetchall()]
    if not missing:
        return ok("monitoring role", subject, "sees sessions, statistics and settings")
    return CheckResult(
        "monitoring role",
        subject,
        State.WARNING,
        f"is no member of {', '.join(missing)}; what it does not see is reported as unknown",
        _grants(subject, "monitoring"),
    )


def migration_role(subject: str, connection: psycopg.Connection[TupleRow]) -> CheckResult:
    """Whether migrations could create and alter; a role for backups alone need not."""
    lacks = sorted(row[0] for row in connection.execute(_MIGRATION).fetchall())
    if not lacks:
        return ok("migration role", subject, "may create, and owns the tables that are there")
    return CheckResult(
        "migration role",
        subject,
        State.WARNING,
        _listed(lacks),
        "Migrate as the role that owns the tables (DATABASE_URL of whoever migrates); to back up "
        "and to measure it is not needed.",
    )


def _grants(subject: str, purpose: str) -> str:
    command = f"bounty-ops db grants -e {subject} --for {purpose}"
    return f"Run what this prints, as the server's administrator: {command}"


def _listed(labels: Sequence[str]) -> str:
    rest = len(labels) - _SHOWN
    return ", ".join(labels[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
