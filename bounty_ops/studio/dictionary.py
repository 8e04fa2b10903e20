"""The data dictionary as a page of documentation.

``python -m bounty_ops.studio.dictionary > docs/reference/data-dictionary.md``
"""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

from bounty_ops.studio.shape import enum_shapes, table_shapes

if TYPE_CHECKING:
    from bounty_ops.studio.shape import ColumnShape, TableShape

_HEAD = """# Data dictionary

Bounty's tables as `bounty_ops.schema.bounty` declares them, by domain. Made from the models by
`python -m bounty_ops.studio.dictionary > docs/reference/data-dictionary.md`; a test compares.
All of it as a picture: [diagram](er-diagram.svg).

![Bounty's tables and what refers to what](er-diagram.svg)
"""


def page() -> str:
    """The whole page, as Markdown."""
    parts = [_HEAD]
    for domain, tables in groupby(table_shapes(), key=lambda table: table.domain):
        parts.append(f"## {domain.replace('_', ' ').capitalize()}\n")
        parts.extend(map(_table, tables))
    parts.append("## Enum types\n")
    lines = [
        f"| `{one.name}` | {', '.join(f'`{x}`' for x in one.labels)} |" for one in enum_shapes()
    ]
    parts.append("\n".join(["| type | labels |", "|---|---|", *lines]) + "\n")
    return "\n".join(parts)


def _table(table: TableShape) -> str:
    referring = [
        f"`{other.name}.{column.name}`"
        for other in table_shapes()
        for column in other.columns
        if column.target == table.name
    ]
    lines = [f"### {table.name}\n", f"{table.meaning}\n"]
    lines += ["| column | type | null | default | |", "|---|---|---|---|---|"]
    lines += map(_column, table.columns)
    lines.append("")
    if table.indexes:
        lines.append("Indexes: " + "; ".join(f"`{one}`" for one in table.indexes) + ".\n")
    if referring:
        lines.append(f"Referred to by {', '.join(referring)}.\n")
    return "\n".join(lines)


def _column(column: ColumnShape) -> str:
    notes = [word for word, so in (("key", column.is_key), ("unique", column.is_unique)) if so]
    if column.target:
        notes.append(f"[{column.target}](#{column.target}).{column.target_column}")
        notes += [f"on delete {column.on_delete}"] * bool(column.on_delete)
    default = f"`{column.default}`" if column.default else ""
    null = "yes" if column.nullable else "no"
    return f"| `{column.name}` | {column.kind} | {null} | {default} | {', '.join(notes)} |"


if __name__ == "__main__":
    sys.stdout.write(page())
