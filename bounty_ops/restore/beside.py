"""Databases beside a target: the copy that is being made, and the old one that is kept.

A copy is named after its target and stamped with a comment that says how far it has come. So a
later run knows what a dead one left: a copy that was not finished is removed, and one that was
about to take its target's place does so (`bounty_ops.restore.swap`).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import psycopg
from psycopg import sql

from bounty_ops.restore.sandbox import locale_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from psycopg.rows import TupleRow

    Connection = psycopg.Connection[TupleRow]

Stage = Literal["filling", "differs", "swapping"]
_MARK: Final = "bounty-ops restore"
_LONGEST_NAME: Final = 63
_RUN: Final = r"\d{8}t\d{6}z_[0-9a-f]{8}"
_CANNOT: Final = (
    psycopg.errors.WrongObjectType,
    psycopg.errors.InvalidParameterValue,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.InvalidObjectDefinition,
    psycopg.errors.UndefinedFile,
    psycopg.errors.UndefinedObject,
)


@dataclass(frozen=True)
class Beside:
    """A copy that stands beside its target."""

    name: str
    target: str
    stage: Stage
    backup_id: str
    digest: str
    """Of the plan that it was made by: whoever gave it agreed to the swap."""
    old_name: str
    """What the target is renamed to in the swap."""
    comment: str | None = None
    """What the database says about itself once it has its name."""


def copy_name(target: str, run_id: str) -> str:
    """The name of a copy in the making."""
    return _fit(target, f"_restoring_{_run(run_id)}")


def old_name(target: str, run_id: str) -> str:
    """The name under which the replaced database is kept."""
    return _fit(target, f"_before_{_run(run_id)}")


def _run(run_id: str) -> str:
    return run_id.lower().replace("-", "_")


def _fit(name: str, suffix: str) -> str:
    """The name with a suffix, cut where PostgreSQL would cut it in the suffix instead."""
    room = _LONGEST_NAME - len(suffix)
    encoded = name.encode()
    if len(encoded) <= room:
        return name + suffix
    short = encoded[: room - 9].decode(errors="ignore")
    return f"{short}_{hashlib.sha256(encoded).hexdigest()[:8]}{suffix}"


def databases_beside(connection: Connection, target: str) -> tuple[Beside, ...]:
    """What earlier restores into this target left on the server, oldest first."""
    pattern = re.escape(_fit(target, "_restoring_" + "0" * 25)[:-25]) + _RUN
    rows = connection.execute(
        "SELECT datname::text, pg_catalog.shobj_description(oid, 'pg_database')"
        "  FROM pg_catalog.pg_database ORDER BY datname"
    ).fetchall()
    found = []
    for name, comment in rows:
        if re.fullmatch(pattern, name) is None:
            continue
        # Killed between making it and stamping it: the name alone is ours beyond doubt.
        beside = Beside(name, target, "filling", "", "", "") if not comment else _read(comment)
        if beside is not None and (beside.name, beside.target) == (name, target):
            found.append(beside)
    return tuple(found)


def _read(comment: str) -> Beside | None:
    mark, _, text = comment.partition(": ")
    try:
        content = json.loads(text) if mark == _MARK else None
        beside = Beside(**content) if isinstance(content, dict) else None
    except (ValueError, TypeError):
        return None
    return beside if beside is not None and beside.stage in get_args(Stage) else None


def stamp(connection: Connection, beside: Beside) -> None:
    """Write down how far a copy has come."""
    comment = f"{_MARK}: {json.dumps(asdict(beside), sort_keys=True)}"
    set_comment(connection, beside.name, comment)


def set_comment(connection: Connection, database: str, comment: str | None) -> None:
    """Comment on a database."""
    connection.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(
            sql.Identifier(database), sql.Literal(comment)
        )
    )


def make_copy(connection: Connection, beside: Beside, about: Mapping[str, Any]) -> tuple[str, ...]:
    """Make the empty database for a copy, which nobody else may enter before it is whole.

    Args:
        connection: to another database of the server.
        beside: the copy.
        about: what the manifest says about the source's database.

    Returns:
        In what it is unlike the source's, because this server lacks something.
    """
    drop_copy(connection, beside.name)
    departures = _make(connection, beside.name, dict(about))
    stamp(connection, beside)
    connection.execute(
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(beside.name))
    )
    return departures


def drop_copy(connection: Connection, name: str) -> None:
    """Remove a copy, whoever is connected to it."""
    connection.execute(
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    )


def _make(connection: Connection, name: str, about: dict[str, Any]) -> tuple[str, ...]:
    encoding = str(about.get("encoding") or "UTF8")
    options = locale_options(about)
    wanted = about.get("locale") or about.get("collate") or "not recorded"
    if options is not None and _create(connection, name, {"ENCODING": encoding, **options}):
        return ()
    if _create(connection, name, {"ENCODING": encoding}):
        return (f"its locale is the server's own, since the source's ({wanted}) is not to be had",)
    for locale in ("C.UTF-8", "C"):
        plain = {"ENCODING": encoding, "LC_COLLATE": locale, "LC_CTYPE": locale}
        if _create(connection, name, plain):
            return (f"its locale is {locale}, since the source's ({wanted}) is not to be had",)
    connection.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    )
    return (f"its encoding and locale are the server's own, not {encoding} and {wanted}",)


def _create(connection: Connection, name: str, options: Mapping[str, str]) -> bool:
    words = [
        sql.SQL("{} {}").format(sql.SQL(option), sql.Literal(value))
        for option, value in options.items()
    ]
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(
        sql.Identifier(name), sql.SQL(" ").join(words)
    )
    try:
        connection.execute(statement)
    except _CANNOT:
        return False
    return True
