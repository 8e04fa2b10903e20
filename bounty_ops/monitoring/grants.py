"""The least that a role needs: as SQL to read and run, with what each part is for.

`pg_monitor`, which every tool asks for, is not enough to see how far a sequence is used, nor what
the planner knows about columns; and SELECT on all tables, which would do for the latter, is far too
much for somebody who measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from bounty_ops.monitoring.probe import identifier
from bounty_ops.monitoring.queries import load
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl

Purpose = Literal["monitoring", "backup", "migration"]

#: What the roles are called unless somebody says otherwise.
ROLE_NAMES: Final[dict[Purpose, str]] = {
    "monitoring": "bounty_ops_monitor",
    "backup": "bounty_ops_backup",
    "migration": "bounty_ops_migrate",
}
#: Collections are at most two at a time; a person may look as well.
_CONNECTIONS: Final = 5


@dataclass(frozen=True)
class Grant:
    """Statements that belong together."""

    purpose: str
    without: str
    """What it costs to leave them out."""
    statements: tuple[str, ...]


@dataclass(frozen=True)
class RoleScript:
    """Everything that makes a role fit for its purpose in one database."""

    role: str
    database: str
    purpose: Purpose
    grants: tuple[Grant, ...]

    def sql(self) -> str:
        """The script: one transaction, each part with a comment on what it is for."""
        lines = [
            f"-- The role {self.role} for {self.purpose}, in the database {self.database}.",
            "-- Run this there as a superuser; or as the owner of the tables, who then needs",
            "-- CREATEROLE and the right to grant the predefined roles below.",
            "BEGIN;",
        ]
        for grant in self.grants:
            lines += ["", f"-- {grant.purpose}", f"-- Without it: {grant.without}"]
            lines += [f"{statement};" for statement in grant.statements]
        lines += ["", "COMMIT;", f"-- Then give it a password; in psql: \\password {self.role}"]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {
            "role": self.role,
            "database": self.database,
            "purpose": self.purpose,
            "grants": [
                {
                    "purpose": grant.purpose,
                    "without": grant.without,
                    "statements": list(grant.statements),
                }
                for grant in self.grants
            ],
            "sql": self.sql(),
        }


@dataclass(frozen=True)
class Surroundings:
    """What of a database decides about the grants."""

    database: str
    role_exists: bool
    extension_schema: str | None
    """Where pg_stat_statements is."""
    owners: dict[str, tuple[str, ...]]
    """Schemas that hold tables or sequences, with the roles that own these."""
    superusers: frozenset[str] = frozenset()
    """Which of these owners nobody may become for the sake of a migration."""


def role_script(url: DatabaseUrl, purpose: Purpose, role: str | None = None) -> RoleScript:
    """What makes `role` fit for its purpose in the database as it is now; nothing is changed.

    Raises:
        PostgresError: the database cannot be read.
    """
    name = role or ROLE_NAMES[purpose]
    with connect(url, application_name="bounty-ops grants", read_only=True) as connection:
        ((exists, extension_schema),) = connection.execute(
            load("role_facts").encode(), {"role": name}
        ).fetchall()
        schemas = connection.execute(load("grantees").encode()).fetchall()
        powerful = connection.execute("SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper")
        superusers = frozenset(row[0] for row in powerful.fetchall())
        database = connection.info.dbname
    around = Surroundings(
        database=database,
        role_exists=exists,
        extension_schema=extension_schema,
        owners={schema: tuple(owners) for schema, owners in schemas},
        superusers=superusers,
    )
    grants = _MAKERS[purpose](identifier(name), around)
    return RoleScript(identifier(name), database, purpose, grants)


def monitoring_grants(role: str, around: Surroundings) -> tuple[Grant, ...]:
    """What the collectors need to see everything that they look for, and no row of any table."""
    return (
        _existence(role, around, "LOGIN", "nobody can connect as it"),
        _statistics(role, around),
        *([_sequences(role, around)] if around.owners else []),
        _columns(role),
    )


def backup_grants(role: str, around: Surroundings) -> tuple[Grant, ...]:
    """What pg_dump needs to read everything, and to write nothing."""
    return (
        _existence(
            role, around, "LOGIN BYPASSRLS",
            "a backup fails where row-level security would hide rows from it (BYPASSRLS), so as "
            "not to be incomplete",
        ),
        Grant(
            "to read all tables, views and sequences; the application's users stay as they are",
            "a backup refuses to begin and names the tables that it cannot read",
            (f"GRANT pg_read_all_data TO {role}",),
        ),
    )  # fmt: skip


def migration_grants(role: str, around: Surroundings) -> tuple[Grant, ...]:
    """What a migration needs to change the schema, and nothing beyond this database."""
    schemas = [identifier(schema) for schema in {"public": (), **around.owners}]
    owners = sorted({owner for names in around.owners.values() for owner in names})
    plain = [owner for owner in owners if owner not in around.superusers]
    grants = [
        _existence(role, around, "LOGIN", "nobody can connect as it"),
        Grant(
            "to make the schema bounty_ops, where the revision is kept, and tables and types",
            "the first migration fails",
            (
                f"GRANT CREATE ON DATABASE {identifier(around.database)} TO {role}",
                *(f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}" for schema in schemas),
            ),
        ),
    ]
    if plain:
        grants.append(
            Grant(
                "to change tables that belong to others: only an owner may",
                "a migration that touches one of them fails (42501)",
                tuple(f"GRANT {identifier(owner)} TO {role}" for owner in plain if owner != role),
            )
        )
    if len(plain) < len(owners):
        grants.append(
            Grant(
                "to change what belongs to a superuser, whom nobody should become for this: it "
                "gets this owner; what others were granted stays",
                "a migration that touches one of them fails (42501)",
                (load("take_over").strip().removesuffix(";").replace("{role}", role),),
            )
        )
    return tuple(grants)


_MAKERS: Final = {
    "monitoring": monitoring_grants,
    "backup": backup_grants,
    "migration": migration_grants,
}


def _existence(role: str, around: Surroundings, attributes: str, without: str) -> Grant:
    made = (
        f"ALTER ROLE {role} {attributes}"
        if around.role_exists
        else f"CREATE ROLE {role} {attributes} CONNECTION LIMIT {_CONNECTIONS}"
    )
    return Grant(
        "the role itself, which cannot use up other people's connections",
        without,
        (made, f"GRANT CONNECT ON DATABASE {identifier(around.database)} TO {role}"),
    )


def _statistics(role: str, around: Surroundings) -> Grant:
    statements = [f"GRANT pg_monitor TO {role}"]
    if around.extension_schema is not None:
        statements.append(f"GRANT USAGE ON SCHEMA {identifier(around.extension_schema)} TO {role}")
    return Grant(
        "to see other roles' sessions, statements and followers, and all settings",
        "how long other roles' queries and transactions run, who holds VACUUM back, what "
        "statements cost, how far followers lag and some twenty settings are unknown",
        tuple(statements),
    )


def _sequences(role: str, around: Surroundings) -> Grant:
    statements = []
    for schema, owners in around.owners.items():
        where = identifier(schema)
        statements.append(f"GRANT USAGE ON SCHEMA {where} TO {role}")
        statements.append(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {where} TO {role}")
        statements += [
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(owner)} IN SCHEMA {where} "
            f"GRANT SELECT ON SEQUENCES TO {role}"
            for owner in owners
        ]
    return Grant(
        "to see how far sequences are used, those to come included (pg_monitor does not do it)",
        "every sequence, and every column that one feeds, is unknown",
        tuple(statements),
    )


def _columns(role: str) -> Grant:
    function = load("column_statistics_function").strip().removesuffix(";").split(";\n\n")
    return Grant(
        "to see how wide and how different the values of columns are, and the range of moments, "
        "but no other value",
        "bloat of indexes, and which rows could be purged, are unknown; only SELECT on all tables "
        "would show it too",
        (
            *function,
            f"GRANT USAGE ON SCHEMA bounty_ops TO {role}",
            f"GRANT EXECUTE ON FUNCTION bounty_ops.column_statistics() TO {role}",
        ),
    )
