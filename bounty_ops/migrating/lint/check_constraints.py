"""ALTER TABLE ... ADD, VALIDATE, ALTER and DROP CONSTRAINT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast.enums import AlterTableType, ConstrType, DropBehavior

from bounty_ops.migrating.lint import uniqueness
from bounty_ops.migrating.lint.proofs import not_null_is_proved
from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE
from bounty_ops.migrating.lint.tree import qualified, relation_name, strings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.schema import Column, Index, Table
    from bounty_ops.migrating.lint.tree import Node

_PARTITIONED_NOT_VALID: Final = 18
_NAMED_NOT_NULL: Final = 18
_NOT_ENFORCED: Final = 18


def _add_constraint(exam: Examination, name: str, command: Node) -> None:
    node = command.def_
    table = exam.model.table(name)
    given = node.conname
    if given and table is not None and given in table.constraints:
        exam.report("always-fails", name, detail=f"{name} has a constraint {given} already")
        return
    _ADDING.get(node.contype, _nothing)(exam, name, node)


def _nothing(_exam: Examination, _name: str, _node: Node) -> None:
    """Constraints inside a column definition are looked at there."""


def _add_check(exam: Examination, name: str, node: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    if node.is_enforced is False:
        _needs_enforcement(exam, name)
    elif not node.skip_validation:
        exam.report("check-scans", name)


def _needs_enforcement(exam: Examination, name: str) -> None:
    if exam.pg_major < _NOT_ENFORCED:
        exam.report("version-too-old", name,
                    detail=f"{exam.pg_major} has no NOT ENFORCED (18 has)")  # fmt: skip


def _add_not_null(exam: Examination, name: str, node: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    if exam.pg_major < _NAMED_NOT_NULL:
        exam.report(
            "version-too-old",
            name,
            detail=f"{exam.pg_major} has no ADD CONSTRAINT ... NOT NULL (18 has)",
        )
        return
    columns = strings(node.keys)
    known = exam.model.column(name, columns[0]) if columns else None
    if node.skip_validation or (known is not None and known.not_null):
        return
    if columns and not_null_is_proved(exam.model.table(name), columns[0]):
        return
    exam.report("not-null-constraint-scans", name)


def _add_foreign_key(exam: Examination, name: str, node: Node) -> None:
    exam.take(name, SHARE_ROW_EXCLUSIVE)
    target = relation_name(node.pktable) if node.pktable is not None else "the other table"
    if exam.is_missing(target):
        exam.report("always-fails", name, detail=f"there is no table {target}")
        return
    exam.take(target, SHARE_ROW_EXCLUSIVE, counted=False)
    table = exam.model.table(name)
    partitioned = table is not None and table.kind == "partitioned"
    if node.is_enforced is False:
        _needs_enforcement(exam, name)
        return
    if node.skip_validation and partitioned and exam.pg_major < _PARTITIONED_NOT_VALID:
        exam.report("always-fails", name,
                    detail="a foreign key of a partitioned table cannot be NOT VALID before "
                    "PostgreSQL 18")  # fmt: skip
    if cannot_refer(exam, name, node, tuple(strings(node.fk_attrs)), _columns(table)):
        return
    if not node.skip_validation:
        exam.report("foreign-key-scans", name, detail=target)


def _columns(table: Table | None) -> Mapping[str, Column]:
    return table.columns if table is not None else {}


_FAMILIES: Final = {
    "int2": "number", "int4": "number", "int8": "number", "numeric": "number",
    "float4": "number", "float8": "number", "text": "text", "varchar": "text", "bpchar": "text",
    "uuid": "uuid", "date": "time", "timestamp": "time", "timestamptz": "time", "bool": "bool",
    "bytea": "bytea", "inet": "inet", "cidr": "inet",
}  # fmt: skip


def cannot_refer(
    exam: Examination,
    name: str,
    node: Node,
    columns: Sequence[str],
    known: Mapping[str, Column],
) -> bool:
    """Say so when the other side cannot be referred to: no unique key there, or another type."""
    target = relation_name(node.pktable) if node.pktable is not None else ""
    table = exam.model.table(target)
    if table is None or not table.complete or table.name == name:
        return False
    wanted = tuple(strings(node.pk_attrs))
    if not wanted:
        primary = table.primary_key()
        wanted = primary.columns if primary is not None else ()
    keys = [
        set(each.columns)
        for each in exam.model.indexes_on(target)
        if each.unique and not each.partial and not each.expressions
    ]
    if set(wanted) not in keys:
        exam.report("always-fails", name, detail=f"{target} has no unique key on what is referred "
                    f"to ({', '.join(wanted) or 'no primary key'})")  # fmt: skip
        return True
    for mine, theirs in zip(columns, wanted, strict=False):
        families = [_family(exam, known.get(mine)), _family(exam, table.columns.get(theirs))]
        if None not in families and families[0] != families[1]:
            exam.report("always-fails", name, detail=f"{mine} and {target}.{theirs} cannot be "
                        "compared")  # fmt: skip
            return True
    return False


def _family(exam: Examination, column: Column | None) -> str | None:
    found = exam.model.base_type(column.type) if column is not None else None
    return _FAMILIES.get(found.name) if found is not None and not found.array else None


def _add_key(exam: Examination, name: str, node: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    primary = node.contype == ConstrType.CONSTR_PRIMARY
    table = exam.model.table(name)
    if primary and table is not None and table.primary_key() is not None:
        exam.report("always-fails", name, detail=f"{name} has a primary key already")
        return
    if node.indexname:
        _use_index(exam, name, node, primary=primary)
        return
    columns = strings(node.keys)
    missing = [each for each in table.partition_columns if each not in columns] if table else []
    if missing:
        exam.report("always-fails", name, detail=f"a unique key of a partitioned table must hold "
                    f"the columns it is partitioned by: {missing[0]} is not in it")  # fmt: skip
        return
    exam.report("unique-builds-index", name, detail="PRIMARY KEY" if primary else "UNIQUE")
    uniqueness.keeps(exam, name, columns)


def _use_index(exam: Examination, name: str, node: Node, *, primary: bool) -> None:
    table = exam.model.table(name)
    index = exam.model.indexes.get(qualified(name.rpartition(".")[0], node.indexname))
    if exam.model.complete and index is None:
        exam.report("always-fails", name, detail=f"there is no index {node.indexname}")
        return
    if table is not None and table.kind == "partitioned":
        exam.report("always-fails", name, detail="USING INDEX does not work on partitioned tables")
        return
    if index is not None and (why := _unfit(index)):
        exam.report("always-fails", name, detail=f"the index {index.name} {why}")
        return
    if not primary:
        return
    if index is None or table is None:
        exam.report("primary-key-may-scan", name)
        return
    for each in index.columns:
        column = table.columns.get(each)
        if column is not None and not column.not_null and not not_null_is_proved(table, each):
            rule = "primary-key-scans" if column.type is not None else "primary-key-may-scan"
            exam.report(rule, name, detail=each)
            return


def _unfit(index: Index) -> str:
    reasons = {
        "is not unique": not index.unique,
        "is INVALID": not index.valid,
        "has a predicate": index.partial,
        "has expressions": index.expressions,
        "belongs to a constraint already": index.constraint is not None,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _add_exclusion(exam: Examination, name: str, _node: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    exam.report("exclusion-builds-index", name)


_ADDING: Final[dict[ConstrType, Callable[[Examination, str, Node], None]]] = {
    ConstrType.CONSTR_CHECK: _add_check,
    ConstrType.CONSTR_NOTNULL: _add_not_null,
    ConstrType.CONSTR_FOREIGN: _add_foreign_key,
    ConstrType.CONSTR_UNIQUE: _add_key,
    ConstrType.CONSTR_PRIMARY: _add_key,
    ConstrType.CONSTR_EXCLUSION: _add_exclusion,
}


def _validate(exam: Examination, name: str, command: Node) -> None:
    table = exam.model.table(name)
    if table is not None and table.complete and command.name not in table.constraints:
        exam.report("always-fails", name, detail=f"{name} has no constraint {command.name}")
        return
    exam.validated.add((name, command.name))
    known = table.constraints.get(command.name) if table is not None else None
    if known is None or not known.valid:
        exam.works_long("lock-held-across-scan")


def _drop_constraint(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    table = exam.model.table(name)
    known = table.constraints.get(command.name) if table is not None else None
    if table is not None and table.complete and known is None:
        if not command.missing_ok:
            exam.report("always-fails", name, detail=f"{name} has no constraint {command.name}")
        return
    if known is not None and known.references:
        exam.take(known.references, ACCESS_EXCLUSIVE, counted=False)
    if command.behavior == DropBehavior.DROP_CASCADE:
        exam.report("cascade", name, detail=": foreign keys that refer to it, for example")
    _what_goes_with_it(exam, name, command)


def _what_goes_with_it(exam: Examination, name: str, command: Node) -> None:
    table = exam.model.table(name)
    known = table.constraints.get(command.name) if table is not None else None
    if known is None or table is None:
        if command.name.endswith("_pkey"):  # what PostgreSQL calls a primary key
            exam.report("primary-key-dropped", name, detail=command.name)
        return
    if known.kind not in {"primary", "unique"}:
        return
    referring = [
        other
        for other, each in exam.model.references_to(name)
        if each.referenced_columns == known.columns
        or (not each.referenced_columns and known.kind == "primary")
    ]
    if referring and command.behavior != DropBehavior.DROP_CASCADE:
        exam.report("always-fails", name, detail=f"a foreign key of {referring[0]} refers to it")
    if known.kind == "unique":
        index = qualified(name.rpartition(".")[0], command.name)
        uniqueness.report_loss(exam, exam.model.indexes.get(index))
    if known.kind == "primary":
        published = table.publications or any(
            each.all_tables for each in exam.model.publications.values()
        )
        if published and table.replica_identity == "default":
            exam.report("replica-identity-lost", name, detail="Without its primary key")
        else:
            exam.report("primary-key-dropped", name, detail=command.name)


def _alter_constraint(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    change = command.def_
    if not getattr(change, "alterEnforceability", False):
        return
    _needs_enforcement(exam, name)
    if change.is_enforced:
        exam.report("constraint-enforced-scans", name)
    else:
        exam.report("constraint-not-enforced", name, detail=change.conname)


COMMANDS: Final[dict[AlterTableType, Callable[[Examination, str, Node], None]]] = {
    AlterTableType.AT_AddConstraint: _add_constraint,
    AlterTableType.AT_ValidateConstraint: _validate,
    AlterTableType.AT_DropConstraint: _drop_constraint,
    AlterTableType.AT_AlterConstraint: _alter_constraint,
}
