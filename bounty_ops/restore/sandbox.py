"""Making a place in a throw-away cluster in which an archive restores as it would at its source.

Roles, and the encoding and locale of a database, are not part of a pg_dump archive. They are made
from what the manifest says about the source. What this machine cannot provide is noticed here, so
that it is never mistaken for a fault of the backup.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from bounty_ops.postgres.connect import connect
from bounty_ops.restore.findings import Inconclusive

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest

    Connection = psycopg.Connection[TupleRow]

APPLICATION_NAME: Final = "bounty-ops verification"
DATABASE: Final = "restored"
#: By which roles that a drill made are told from all others.
ROLE_COMMENT: Final = "made by bounty-ops for a drill"
_EVENT_TRIGGERS_CAN_BE_OFF_SINCE: Final = 17
_PROVIDERS: Final = {"i": "icu", "b": "builtin", "c": "libc"}
_FALLBACK_LOCALES: Final = ("C.UTF-8", "C")


@dataclass(frozen=True)
class Sandbox:
    """An empty database like the source's."""

    url: DatabaseUrl
    departures: tuple[str, ...]
    """In what it is unlike the source's, because this machine lacks something."""


def make_sandbox(cluster: DatabaseUrl, manifest: Manifest, database: str = DATABASE) -> Sandbox:
    """Create roles and an empty database, in place of the one of an earlier attempt.

    Args:
        cluster: the superuser's URL of a throw-away cluster, or of a server given for drills.
        manifest: what the source was like.
        database: its name; one that exists is dropped.

    Raises:
        Inconclusive: an extension is missing here, or roles cannot be made.
        PostgresError: the throw-away server failed.
    """
    about = _about_database(manifest)
    with connect(cluster, application_name=APPLICATION_NAME) as connection:
        _require_extensions(connection, manifest)
        _make_roles(connection, _lines(manifest, "about_roles"))
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )
        departures = _make_database(connection, about, database)
        departures += _set_lc_monetary(connection, about, manifest, database)
    url = _quiet(cluster.with_database(database), manifest.server_major)
    schemas = manifest.inventory.get("schemas", [])
    if not any(line.startswith("public: ") for line in schemas):
        with connect(url, application_name=APPLICATION_NAME) as connection:
            connection.execute("DROP SCHEMA public")
    return Sandbox(url, tuple(departures))


def _quiet(url: DatabaseUrl, major: int) -> DatabaseUrl:
    """Event triggers of the backup do not fire in sessions of ours, where that can be had."""
    if major < _EVENT_TRIGGERS_CAN_BE_OFF_SINCE:
        return url
    return dataclasses.replace(
        url, parameters=(*url.parameters, ("options", "-c event_triggers=off"))
    )


def _lines(manifest: Manifest, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in manifest.inventory.get(name, ())]


def _about_database(manifest: Manifest) -> dict[str, Any]:
    lines = _lines(manifest, "about_database")
    return lines[0] if lines else {}


def _require_extensions(connection: Connection, manifest: Manifest) -> None:
    available = {
        row[0] for row in connection.execute("SELECT name FROM pg_catalog.pg_available_extensions")
    }
    wanted = {about["name"] for about in _lines(manifest, "about_extensions")}
    if missing := sorted(wanted - available):
        raise Inconclusive(
            f"the backup needs extensions that this machine's PostgreSQL "
            f"{manifest.server_major} lacks: {', '.join(missing)}; install them and verify again"
        )


def _make_roles(connection: Connection, roles: list[dict[str, Any]]) -> None:
    """Owners and grantees. None can log in; a superuser's views are refreshed as a superuser."""
    there = {row[0] for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    try:
        for role in roles:
            if role["name"] in there:
                continue
            attributes = [
                "NOLOGIN",
                "SUPERUSER" if role.get("superuser") else "NOSUPERUSER",
                "BYPASSRLS" if role.get("bypass_row_security") else "NOBYPASSRLS",
                "INHERIT" if role.get("inherits", True) else "NOINHERIT",
            ]
            name, words = sql.Identifier(role["name"]), sql.SQL(" ").join(map(sql.SQL, attributes))
            with connection.transaction():
                connection.execute(sql.SQL("CREATE ROLE {} {}").format(name, words))
                connection.execute(
                    sql.SQL("COMMENT ON ROLE {} IS {}").format(name, sql.Literal(ROLE_COMMENT))
                )
        for role in roles:
            for group in role.get("member_of", ()):
                connection.execute(
                    sql.SQL("GRANT {} TO {}").format(
                        sql.Identifier(group), sql.Identifier(role["name"])
                    )
                )
    except psycopg.errors.DatabaseError as error:
        if error.sqlstate is None:  # the connection was lost
            raise
        raise Inconclusive(
            f"the roles of the source cannot be made here: {error.diag.message_primary}"
        ) from None


def _make_database(connection: Connection, about: dict[str, Any], database: str) -> list[str]:
    """The database with the source's encoding and locale, or the next best there is."""
    encoding = str(about.get("encoding") or "UTF8")
    options = locale_options(about)
    if options is not None and _create(connection, database, encoding, options):
        return []
    for locale in _FALLBACK_LOCALES:
        if _create(connection, database, encoding, {"LC_COLLATE": locale, "LC_CTYPE": locale}):
            wanted = about.get("locale") or about.get("collate") or "not recorded"
            return [f"the source's locale ({wanted}) is not to be had here; {locale} was used"]
    raise Inconclusive(f"a database with encoding {encoding} cannot be made here")


def locale_options(about: dict[str, Any]) -> dict[str, str] | None:
    """What CREATE DATABASE is told about the locale of the source; None if it is not recorded."""
    if not about.get("collate"):
        return None
    options = {"LC_COLLATE": str(about["collate"]), "LC_CTYPE": str(about["ctype"])}
    provider = about.get("provider")
    if provider is not None:
        options["LOCALE_PROVIDER"] = _PROVIDERS.get(provider, "libc")
    if provider == "i":
        options["ICU_LOCALE"] = str(about["locale"])
        if about.get("icu_rules"):
            options["ICU_RULES"] = str(about["icu_rules"])
    if provider == "b":
        options["BUILTIN_LOCALE"] = str(about["locale"])
    return options


def _create(connection: Connection, database: str, encoding: str, options: dict[str, str]) -> bool:
    words = [
        sql.SQL("{} {}").format(sql.SQL(name), sql.Literal(value))
        for name, value in {"ENCODING": encoding, **options}.items()
    ]
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(
        sql.Identifier(database), sql.SQL(" ").join(words)
    )
    try:
        connection.execute(statement)
    except (
        psycopg.errors.WrongObjectType,  # this locale and this encoding do not go together
        psycopg.errors.InvalidParameterValue,
        psycopg.errors.FeatureNotSupported,
        psycopg.errors.InvalidObjectDefinition,
        psycopg.errors.UndefinedFile,
        psycopg.errors.UndefinedObject,
    ):
        return False
    return True


def _set_lc_monetary(
    connection: Connection, about: dict[str, Any], manifest: Manifest, database: str
) -> list[str]:
    """pg_dump writes money as the source's sessions show it, and does not say how that is."""
    wanted = about.get("lc_monetary")
    kinds = [*manifest.inventory.get("columns", ()), *manifest.inventory.get("types", ())]
    if not wanted or not any("money" in line for line in kinds):
        return []
    try:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET lc_monetary = {}").format(
                sql.Identifier(database), sql.Literal(wanted)
            )
        )
    except psycopg.errors.InvalidParameterValue:
        return [f"the source's lc_monetary ({wanted}) is not to be had here"]
    return []
