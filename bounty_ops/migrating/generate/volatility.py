"""Whether PostgreSQL computes a default once for all rows, or once for each."""

from __future__ import annotations

from typing import Final

from pglast.visitors import Visitor

from bounty_ops.migrating.generate.statements import Node, strings

#: Functions of PostgreSQL that are used in defaults and are not volatile (pg_proc.provolatile on
#: 14 to 18). What is not listed is taken for volatile: a backfill too many does no harm.
_STEADY: Final = frozenset(
    {
        "abs", "array_fill", "array_to_string", "btrim", "ceil", "char_length", "concat",
        "date", "date_part", "date_trunc", "decode", "encode", "extract", "floor", "format",
        "greatest", "json_build_array", "json_build_object", "jsonb_build_array",
        "jsonb_build_object", "least", "left", "length", "lower", "make_date", "make_interval",
        "make_timestamp", "make_timestamptz", "md5", "now", "nullif", "octet_length", "repeat",
        "replace", "right", "round", "sha256", "split_part", "statement_timestamp", "substr",
        "substring", "timezone", "to_char", "to_date", "to_json", "to_jsonb", "to_timestamp",
        "to_tsquery", "to_tsvector", "transaction_timestamp", "trim", "trunc", "upper",
    }
)  # fmt: skip


class _Calls(Visitor):
    def __init__(self) -> None:
        self.volatile = False

    def visit_FuncCall(self, _ancestors: object, node: Node) -> None:  # noqa: N802
        names = strings(node.funcname)
        own = len(names) > 1 and names[0] != "pg_catalog"
        if own or names[-1] not in _STEADY:
            self.volatile = True

    def visit_NextValueExpr(self, *_: object) -> None:  # noqa: N802
        self.volatile = True


def is_volatile(node: Node) -> bool:
    """Whether an expression may give each row another value, as far as its text shows."""
    calls = _Calls()
    calls(node)
    return calls.volatile
