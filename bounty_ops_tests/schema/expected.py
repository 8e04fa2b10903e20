"""What a database of Bounty must consist of, according to ``data/bounty_schema.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bounty_ops_tests.schema.catalogue import Facts

_FILE = Path(__file__).parent.parent / "data" / "bounty_schema.json"

_REFERENTIAL_ACTIONS = {"no action": "a", "restrict": "r", "cascade": "c", "set null": "n"}
_OPERATOR_CLASSES = {
    "text": "text_ops",
    "integer": "int4_ops",
    "boolean": "bool_ops",
    "timestamp without time zone": "timestamp_ops",
}


def reference() -> dict[str, Any]:
    """Return the reference data as it stands in the file."""
    loaded: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return loaded


def expected_facts() -> Facts:
    """Return the facts of Bounty's schema and of our version table, and nothing else."""
    facts = _schemas()
    data = reference()
    for name, enum in data["enums"].items():
        facts["enum", f"public.{name}", "labels"] = ", ".join(enum["values"])
    for name, table in data["tables"].items():
        facts |= _table(name, table)
    return facts | _version_table()


def version_table_facts() -> Facts:
    """Return what is left after everything was taken back."""
    return _schemas() | _version_table()


def _schemas() -> Facts:
    return {("schema", name, "there"): "true" for name in ("public", "bounty_ops")}


def _table(name: str, table: dict[str, Any]) -> Facts:
    facts = _relation(f"public.{name}", "r") | {
        ("relation", f"public.{name}", "replica identity"): "d"
    }
    types = {column["name"]: column["type"] for column in table["columns"]}
    for position, column in enumerate(table["columns"], start=1):
        facts |= _column(f"public.{name}.{column['name']}", position, column)
    primary = table["primary_key"]
    facts |= _key("p", name, primary["name"], primary["columns"], types)
    for unique in table["unique_constraints"]:
        assert unique["nulls_not_distinct"] is False
        facts |= _key("u", name, unique["name"], unique["columns"], types)
    for foreign in table["foreign_keys"]:
        facts |= _foreign_key(name, foreign)
    for index in table["indexes"]:
        assert index["where"] is None
        facts |= _index(name, index["name"], index["columns"], types, unique=index["unique"])
        facts["index", f"public.{index['name']}", "method"] = index["method"]
    assert table["checks"] == []
    return facts


def _relation(name: str, kind: str) -> Facts:
    return {
        ("relation", name, "kind"): kind,
        ("relation", name, "persistence"): "p",
        ("relation", name, "partition"): "false",
        ("relation", name, "row security"): "false",
    }


def _column(name: str, position: int, column: dict[str, Any]) -> Facts:
    facts = {
        ("column", name, "position"): str(position),
        ("column", name, "type"): column["type"],
        ("column", name, "nullable"): str(column["nullable"]).lower(),
        ("column", name, "identity"): "",
        ("column", name, "generated"): "",
    }
    if column["type"].startswith("text"):
        facts["column", name, "collation"] = "default"
    if column["default_pg"] is not None:
        facts["column", name, "default"] = column["default_pg"]
    return facts


def _constraint(kind: str, table: str, name: str, columns: list[str]) -> Facts:
    key = f"public.{table}.{name}"
    return {
        ("constraint", key, "kind"): kind,
        ("constraint", key, "columns"): ", ".join(columns),
        ("constraint", key, "deferrable"): "false",
        ("constraint", key, "deferred"): "false",
        ("constraint", key, "validated"): "true",
        ("constraint", key, "referred table"): "-",
    }


def _key(kind: str, table: str, name: str, columns: list[str], types: dict[str, str]) -> Facts:
    facts = _constraint(kind, table, name, columns)
    facts |= _index(table, name, columns, types, unique=True)
    facts["index", f"public.{name}", "primary"] = str(kind == "p").lower()
    return facts


def _foreign_key(table: str, foreign: dict[str, Any]) -> Facts:
    facts = _constraint("f", table, foreign["name"], foreign["columns"])
    key = f"public.{table}.{foreign['name']}"
    facts["constraint", key, "referred table"] = _quoted(foreign["ref_table"])
    facts["constraint", key, "referred columns"] = ", ".join(foreign["ref_columns"])
    facts["constraint", key, "on delete"] = _REFERENTIAL_ACTIONS[foreign["on_delete"]]
    facts["constraint", key, "on update"] = _REFERENTIAL_ACTIONS[foreign["on_update"]]
    facts["constraint", key, "match"] = "s"
    return facts


def _index(
    table: str, name: str, columns: list[str], types: dict[str, str], *, unique: bool
) -> Facts:
    key = f"public.{name}"
    entries = [
        f"{_quoted(column)}, {_OPERATOR_CLASSES.get(types[column], 'enum_ops')}, 0"
        for column in columns
    ]
    return _relation(key, "i") | {
        ("index", key, "table"): _quoted(table),
        ("index", key, "method"): "btree",
        ("index", key, "unique"): str(unique).lower(),
        ("index", key, "primary"): "false",
        ("index", key, "valid"): "true",
        ("index", key, "key columns"): str(len(columns)),
        ("index", key, "nulls not distinct"): "false",
        ("index", key, "entries"): ", ".join(entries),
    }


def _quoted(name: str) -> str:
    return f'"{name}"' if name == "user" or name != name.lower() else name


def _version_table() -> Facts:
    """Return Alembic's own table, the one thing of ours in Bounty's database."""
    table = {
        "columns": [
            {
                "name": "version_num",
                "type": "character varying(32)",
                "nullable": False,
                "default_pg": None,
            }
        ],
        "primary_key": {"name": "alembic_version_pkc", "columns": ["version_num"]},
        "unique_constraints": [],
        "foreign_keys": [],
        "indexes": [],
        "checks": [],
    }
    facts = {
        (kind, name.replace("public.", "bounty_ops."), aspect): value
        for (kind, name, aspect), value in _table("alembic_version", table).items()
    }
    facts["index", "bounty_ops.alembic_version_pkc", "table"] = "bounty_ops.alembic_version"
    facts["index", "bounty_ops.alembic_version_pkc", "entries"] = "version_num, text_ops, 0"
    facts["column", "bounty_ops.alembic_version.version_num", "collation"] = "default"
    return facts
