"""Unique indexes that go: what is not unique any more, and who had counted on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.schema import Index


def report_loss(exam: Examination, gone: Index | None) -> None:
    """Say so when an index goes and nothing else keeps its columns unique.

    What takes its place in the same transaction makes it good: see `keeps`.
    """
    if gone is None or not gone.unique or not gone.valid or exam.is_new(gone.table):
        return
    if not gone.columns or gone.name in exam.born:
        return
    others = [
        each
        for each in exam.model.indexes_on(gone.table)
        if each.name != gone.name and each.unique and each.valid and not each.partial
        and not each.expressions and set(each.columns) == set(gone.columns)
    ]  # fmt: skip
    if not others:
        listed = ", ".join(gone.columns)
        exam.report("uniqueness-dropped", gone.table, detail=f"{gone.name} ({listed})", lock=None,
                    unless=_key(gone.table, gone.columns))  # fmt: skip


def keeps(exam: Examination, table: str, columns: Iterable[str | None]) -> None:
    """A unique index on these columns is there from now on."""
    exam.fulfil(_key(table, columns))


def _key(table: str, columns: Iterable[str | None]) -> str:
    return f"unique {table} {sorted(each for each in columns if each)}"
