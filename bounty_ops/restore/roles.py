"""Which roles an archive speaks of, and making those that a server lacks.

Roles belong to a server and are in no archive; one that is missing makes pg_restore stop in the
middle. So they are found in the manifest before anything is done.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from bounty_ops.errors import RestoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from psycopg.rows import TupleRow

    from bounty_ops.journal.records import Manifest

    Connection = psycopg.Connection[TupleRow]

_NAME: Final = r'("(?:[^"]|"")+"|[^\s,:()"=/]+)'
#: In which classes of the inventory a role can stand, and how.
_OWNER: Final = re.compile(rf"\bowner {_NAME}")
_OWNED: Final = (
    "schemas", "types", "tables", "sequences", "views", "functions", "event_triggers",
    "publications", "foreign_servers", "other_objects",
)  # fmt: skip
_GRANT: Final = re.compile(rf" to {_NAME}: .* \(by {_NAME}\)$")
_REVOKED: Final = re.compile(rf": default of {_NAME} revoked$")
_POLICY: Final = re.compile(rf", to ((?:{_NAME} ?)+)")
_DEFAULT_GRANT: Final = re.compile(rf"^{_NAME}(?: in schema .*)? of type ")
_ACL_ITEM: Final = re.compile(rf"(?:^|\s){_NAME}=\S*/{_NAME}")
_NOBODY: Final = frozenset({"public", "(bootstrap superuser)", "pg_database_owner"})


def needed_roles(manifest: Manifest, *, no_owner: bool) -> tuple[str, ...]:
    """The roles that have to exist where a backup is restored."""
    known = {str(role["name"]) for role in _about(manifest)}
    found = set(_policies(manifest))
    if not no_owner:
        found |= set(_owners(manifest))
        found |= set(_grantees(manifest))
    return tuple(sorted(name for name in found - _NOBODY if name in known))


def make_roles(connection: Connection, manifest: Manifest, names: Iterable[str]) -> None:
    """Make roles that cannot log in and may nothing of themselves.

    Raises:
        RestoreError: this role may not make them.
    """
    about = {str(role["name"]): role for role in _about(manifest)}
    for name in names:
        inherits = "INHERIT" if about.get(name, {}).get("inherits", True) else "NOINHERIT"
        try:
            connection.execute(
                sql.SQL("CREATE ROLE {} NOLOGIN {}").format(sql.Identifier(name), sql.SQL(inherits))
            )
            _join(connection, name)
        except psycopg.errors.DuplicateObject:
            continue
        except psycopg.errors.InsufficientPrivilege as error:
            raise RestoreError(
                f"the role {name} cannot be made: {error.diag.message_primary}",
                hint="Let somebody make it who may, or restore with --no-owner.",
            ) from None


def _join(connection: Connection, name: str) -> None:
    """Only a member may hand an object over to a role; a superuser needs no membership."""
    row = connection.execute(
        "SELECT pg_catalog.pg_has_role(%s, 'MEMBER'), rolsuper FROM pg_catalog.pg_roles"
        " WHERE rolname = current_user",
        [name],
    ).fetchone()
    if row and not row[0] and not row[1]:
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))


def _about(manifest: Manifest) -> list[dict[str, Any]]:
    return [json.loads(line) for line in manifest.inventory.get("about_roles", ())]


def _plain(quoted: str) -> str:
    return quoted[1:-1].replace('""', '"') if quoted.startswith('"') else quoted


def _owners(manifest: Manifest) -> Iterator[str]:
    for name in _OWNED:
        for line in manifest.inventory.get(name, ()):
            yield from (_plain(found) for found in _OWNER.findall(line))


def _grantees(manifest: Manifest) -> Iterator[str]:
    for line in manifest.inventory.get("grants", ()):
        for pattern in (_GRANT, _REVOKED):
            match = pattern.search(line)
            yield from (_plain(found) for found in match.groups()) if match else ()
    for line in manifest.inventory.get("default_grants", ()):
        match = _DEFAULT_GRANT.match(line)
        if match:
            yield _plain(match[1])
            for item in _ACL_ITEM.findall(line[match.end() :]):
                yield from map(_plain, item)


def _policies(manifest: Manifest) -> Iterator[str]:
    for line in manifest.inventory.get("policies", ()):
        match = _POLICY.search(line)
        if match:
            yield from (_plain(found) for found in re.findall(_NAME, match[1]))
