"""What a database is made of, as sorted lines per class of object.

A line names an object and everything about it that a sound restore brings back; what legitimately
differs between source and copy (OIDs, positions of columns, tablespaces, versions of extensions)
does not appear in it. So two inventories are compared line by line, and a line that only one of
them has is a difference. The statements are in ``queries/inventory/``, one file a class.

pg_get_viewdef and its kind show what is committed, whatever the snapshot; a caller that needs the
inventory *of* its snapshot reads it twice and compares.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from bounty_ops.postgres.definitions import normalised
from bounty_ops.postgres.relations import query

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

#: Classes that a restored copy must have alike.
COMPARED: Final = (
    "schemas",
    "extensions",
    "types",
    "tables",
    "columns",
    "constraints",
    "indexes",
    "sequences",
    "views",
    "rules",
    "functions",
    "triggers",
    "policies",
    "event_triggers",
    "publications",
    "foreign_servers",
    "other_objects",
    "comments",
    "grants",
    "default_grants",
)
#: Classes for making the copy and for the record; each line is a JSON object.
INFORMATION: Final = ("about_database", "about_roles", "about_extensions")

#: Names the way in which lines are written: raised with every change that writes another line for
#: the same object, so that no older manifest is compared with lines of another kind.
VERSION: Final = 1

Inventory = dict[str, list[str]]
_DIGEST_LENGTH: Final = 32


def read_inventory(connection: psycopg.Connection[TupleRow]) -> Inventory:
    """Read every class; the session's settings must be pinned (`bounty_ops.postgres.pinned`)."""
    return {name: _read(connection, name) for name in (*COMPARED, *INFORMATION)}


def _read(connection: psycopg.Connection[TupleRow], name: str) -> list[str]:
    rows = connection.execute(query(f"inventory/{name}.sql")).fetchall()
    if name in INFORMATION:
        return sorted(json.dumps(row[0], sort_keys=True, ensure_ascii=False) for row in rows)
    return sorted(_line(*row) for row in rows)


def _line(identity: str, definition: str | None = None) -> str:
    """Long definitions stand as a hash: a manifest is to stay small enough to read."""
    line = normalised(identity)
    if definition is None:
        return line
    digest = hashlib.sha256(normalised(definition).encode()).hexdigest()
    return f"{line}, definition {digest[:_DIGEST_LENGTH]}"
