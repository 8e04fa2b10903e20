"""ATTACH, DETACH and PARTITION OF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast.enums import AlterTableType

from bounty_ops.migrating.lint import check_existence
from bounty_ops.migrating.lint.bounds import read_bound
from bounty_ops.migrating.lint.proofs import bounds_are_proved, checks_of, excludes, value_of
from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE
from bounty_ops.migrating.lint.tree import relation_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.proofs import Test
    from bounty_ops.migrating.lint.schema import Table
    from bounty_ops.migrating.lint.tree import Node


def _attach(exam: Examination, name: str, command: Node) -> None:
    bound = command.def_.bound
    if bound is None:
        return  # an index to its partitioned index: nothing to prove
    child = relation_name(command.def_.name)
    exam.take(child, ACCESS_EXCLUSIVE, counted=False)
    parent = exam.model.table(name)
    if check_existence.cannot_attach(exam, parent, child) or _overlaps(exam, parent, bound):
        return
    if not exam.is_new(child) and not _fits(exam, parent, child, bound):
        exam.report("attach-scans", child)
    if parent is not None and not bound.is_default:
        _scan_of_the_default(exam, parent, bound)


def _overlaps(exam: Examination, parent: Table | None, bound: Node) -> bool:
    wanted = read_bound(bound)
    if parent is None or wanted is None:
        return False
    for name in sorted(parent.partitions):
        table = exam.model.table(name)
        if table is not None and table.bound is not None and table.bound.overlaps(wanted):
            detail = f"the partition {name} holds some of these values already"
            exam.report("always-fails", name, detail=detail)
            return True
    return False


def _scan_of_the_default(exam: Examination, parent: Table, bound: Node) -> None:
    default = parent.default_partition
    if default is None or exam.is_new(default):
        return
    exam.take(default, ACCESS_EXCLUSIVE, counted=False)
    terms = _terms_of_bound(parent.partition_columns, bound)[1:]
    if not excludes(exam.model.table(default), terms):
        exam.report("attach-scans-default", default)


def _fits(exam: Examination, parent: Table | None, child: str, bound: Node) -> bool:
    known = exam.model.table(child)
    if parent is None or not parent.partition_columns:
        # Some column it is: one that a validated check bounds in just this way.
        candidates = {column for terms in checks_of(known) for column, _, _ in terms}
        return any(where == child for where, _ in exam.validated) or any(
            bounds_are_proved(known, _terms_of_bound((each,), bound)[1:]) for each in candidates
        )
    return bounds_are_proved(known, _terms_of_bound(parent.partition_columns, bound))


def _terms_of_bound(columns: tuple[str, ...], bound: Node) -> list[Test]:
    """What a partition of one column promises; of several columns it is not so simple."""
    if bound.is_default or len(columns) != 1:
        return []
    column = columns[0]
    terms: list[Test] = [(column, "is not null", "")]
    if bound.strategy == "r" and bound.lowerdatums and bound.upperdatums:
        for operator, datum in ((">=", bound.lowerdatums[0]), ("<", bound.upperdatums[0])):
            value = value_of(datum)
            if value.upper() not in {"MINVALUE", "MAXVALUE"}:
                terms.append((column, operator, value))
        return terms
    if bound.strategy == "l" and len(bound.listdatums or ()) == 1:
        return [*terms, (column, "=", value_of(bound.listdatums[0]))]
    return []


def _detach(exam: Examination, name: str, command: Node) -> None:
    child = relation_name(command.def_.name)
    if not command.def_.concurrent:
        exam.take(name, ACCESS_EXCLUSIVE)
        if not exam.is_new(child):
            exam.report("detach-blocks", name)
        return
    if exam.session.transaction is not None:
        exam.report("refused-in-transaction", name, detail="DETACH PARTITION ... CONCURRENTLY",
                    lock=None)  # fmt: skip
    parent = exam.model.table(name)
    if parent is not None and parent.default_partition is not None:
        exam.report("always-fails", name, detail="no partition can be detached CONCURRENTLY where "
                    f"there is a default partition ({parent.default_partition})")  # fmt: skip


def partition_created(exam: Examination, node: Node) -> None:
    """CREATE TABLE ... PARTITION OF."""
    parent_name = relation_name(node.inhRelations[0])
    exam.take(parent_name, ACCESS_EXCLUSIVE)
    if exam.is_new(parent_name):
        return
    parent = exam.model.table(parent_name)
    if _overlaps(exam, parent, node.partbound):
        return
    known = parent is not None and parent.complete
    exam.report("partition-of-blocks", parent_name, level="advice" if known else None)
    if parent is not None and not node.partbound.is_default:
        _scan_of_the_default(exam, parent, node.partbound)


COMMANDS: Final[dict[AlterTableType, Callable[[Examination, str, Node], None]]] = {
    AlterTableType.AT_AttachPartition: _attach,
    AlterTableType.AT_DetachPartition: _detach,
}
