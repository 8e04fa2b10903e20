"""ALTER TABLE ... ADD, DROP and ALTER COLUMN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterTableType, ConstrType, DropBehavior

from bounty_ops.migrating.lint import check_constraints, check_existence, proofs
from bounty_ops.migrating.lint.check_session import starts_over
from bounty_ops.migrating.lint.columns import constraints_of, read_column
from bounty_ops.migrating.lint.rule import ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE
from bounty_ops.migrating.lint.sqltypes import is_serial
from bounty_ops.migrating.lint.stability import changing_operations
from bounty_ops.migrating.lint.tree import below, function_names, relation_name, source_text
from bounty_ops.migrating.lint.volatility import changing_parts, is_builtin, volatile_functions

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.tree import Node

_EXPRESSION_CAN_CHANGE: Final = 17
_VIRTUAL: Final = 18
_UNIQUE: Final = {
    ConstrType.CONSTR_UNIQUE: "UNIQUE",
    ConstrType.CONSTR_PRIMARY: "PRIMARY KEY",
    ConstrType.CONSTR_EXCLUSION: "EXCLUDE",
}


def _add_column(exam: Examination, name: str, command: Node) -> None:
    definition = command.def_
    known = exam.model.column(name, definition.colname)
    if known is not None:
        if not command.missing_ok:
            exam.report("always-fails", name, detail=f"{name} has a column {known.name} already")
        return
    exam.take(name, ACCESS_EXCLUSIVE)
    if check_existence.lacks_type(exam, name, definition):
        return
    _what_rewrites(exam, name, definition)
    _what_constrains(exam, name, definition)
    if read_column(definition).type is not None and _is_json(definition):
        exam.report("column-json", name)
    exam.born_columns.add((name, definition.colname))


def _is_json(definition: Node) -> bool:
    found = read_column(definition).type
    return found is not None and found.name == "json"


def _cannot_be_default(exam: Examination, name: str, expression: Node) -> bool:
    """Whether a default asks for what no default may: another column, or a query."""
    if any(True for _ in below(expression, ast.SubLink)):
        exam.report("always-fails", name, detail="a default cannot be a query")
        return True
    if any(True for _ in below(expression, ast.ColumnRef)):
        exam.report("always-fails", name, detail="a default cannot name a column")
        return True
    return False


def _what_rewrites(exam: Examination, name: str, definition: Node) -> None:
    column = read_column(definition)
    reasons = []
    if definition.typeName is not None and is_serial(definition.typeName):
        reasons.append("a serial column takes a number from its sequence for each")
    elif column.identity:
        reasons.append("an identity column takes a number from its sequence for each")
    reasons += _volatile_default(exam, name, definition)
    _must_not_change(exam, name, definition)
    if column.generated == "stored":
        reasons.append("a stored generated column is computed for each")
    elif column.generated == "virtual":
        _virtual(exam, name, definition)
    if exam.model.domain_checks(column.type):
        reasons.append(f"{column.type} is a domain with a constraint, which is checked for each")
    if reasons:
        exam.report("column-rewrites-table", name, detail="; ".join(reasons))


def _volatile_default(exam: Examination, name: str, definition: Node) -> list[str]:
    for each in constraints_of(definition):
        if each.contype != ConstrType.CONSTR_DEFAULT:
            continue
        if _cannot_be_default(exam, name, each.raw_expr):
            return []
        called = volatile_functions(exam.model, each.raw_expr)
        return [f"{called[0]}() is volatile, so each row gets its own value"] if called else []
    return []


def _virtual(exam: Examination, name: str, definition: Node) -> None:
    if exam.pg_major < _VIRTUAL:
        exam.report(
            "version-too-old", name,
            detail=f"{exam.pg_major} has no virtual generated columns (18 has)",
        )  # fmt: skip
        return
    expressions = [each.raw_expr for each in constraints_of(definition)]
    own = [each for each in function_names(expressions) if not is_builtin(each)]
    if own:
        exam.report("always-fails", name, detail=f"a virtual column cannot use {own[0]}(), which "
                    "is not PostgreSQL's own")  # fmt: skip


def _must_not_change(exam: Examination, name: str, definition: Node) -> None:
    for each in constraints_of(definition):
        if each.contype == ConstrType.CONSTR_GENERATED:
            changing = changing_parts(exam.model, each.raw_expr)
            changing += changing_operations(exam.model, name, each.raw_expr, exam.pg_major)
            if changing:
                exam.report("always-fails", name, detail=f"{changing[0]} is not IMMUTABLE, which a "
                            "generated column asks for")  # fmt: skip


def _what_constrains(exam: Examination, name: str, definition: Node) -> None:
    column = read_column(definition)
    filled = bool(column.default) and column.default.upper() != "NULL"
    filled = filled or column.identity or bool(column.generated) or _domain_fills(exam, column.type)
    for each in constraints_of(definition):
        kind = each.contype
        if kind == ConstrType.CONSTR_DEFAULT:
            check_existence.lacks_label(exam, name, column.type, each.raw_expr)
        elif kind == ConstrType.CONSTR_NOTNULL and not filled:
            exam.report("column-not-null-without-default", name)
        elif kind == ConstrType.CONSTR_NOTNULL and column.generated == "virtual":
            exam.report("virtual-column-scans", name, detail=column.name)
        elif kind == ConstrType.CONSTR_CHECK and each.is_enforced is not False:
            exam.report("column-scans-table", name, detail="a CHECK")
        elif kind in _UNIQUE:
            exam.report("column-builds-index", name, detail=_UNIQUE[kind])
            if kind == ConstrType.CONSTR_PRIMARY and not filled:
                exam.report("column-not-null-without-default", name)
        elif kind == ConstrType.CONSTR_FOREIGN:
            _references(exam, name, each, filled=filled or bool(column.default))


def _domain_fills(exam: Examination, declared: object) -> bool:
    domain = exam.model.domains.get(getattr(declared, "name", ""))
    return domain is not None and bool(domain.default)


def _references(exam: Examination, name: str, node: Node, *, filled: bool) -> None:
    """Only without any default, even NULL, does PostgreSQL know that nothing refers to anything."""
    target = relation_name(node.pktable) if node.pktable is not None else None
    if target is not None and exam.is_missing(target):
        exam.report("always-fails", name, detail=f"there is no table {target}")
        return
    exam.take(target, SHARE_ROW_EXCLUSIVE, counted=False)
    if filled and node.is_enforced is not False:
        exam.report("foreign-key-scans", name, detail=target or "the other table",
                    lock=ACCESS_EXCLUSIVE)  # fmt: skip
    else:
        exam.report("column-references", name, detail=target or "the other table")
    check_constraints.cannot_refer(exam, name, node, (), {})


def _drop_column(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    table = exam.model.table(name)
    if table is not None and table.complete and command.name not in table.columns:
        if not command.missing_ok:
            exam.report("always-fails", name, detail=f"{name} has no column {command.name}")
        return
    if (name, command.name) in exam.born_columns:
        return
    reasons = check_existence.dropped_by_dependents(exam, name, command.name)
    if reasons and command.behavior != DropBehavior.DROP_CASCADE:
        exam.report("always-fails", name, detail=reasons[0])
    exam.report("column-dropped", name, detail=command.name)


def _default(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    if command.def_ is not None and source_text(command.def_).upper() != "NULL":
        if not _cannot_be_default(exam, name, command.def_):
            known = exam.model.column(name, command.name)
            check_existence.lacks_label(exam, name, known.type if known else None, command.def_)
        return
    known = exam.model.column(name, command.name)
    if known is None or known.type is None:
        exam.report("default-dropped", name, detail=command.name)
    elif known.not_null and known.default:
        exam.report("default-dropped-from-not-null", name, detail=command.name)


def _drop_identity(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    exam.report("identity-dropped", name, detail=command.name)


def _set_not_null(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    column = exam.model.column(name, command.name)
    if column is not None and column.not_null:
        return
    if proofs.not_null_is_proved(exam.model.table(name), command.name, without=exam.dropping):
        return
    if (name, command.name) in exam.born_columns and column is not None and column.default:
        exam.report("not-null-scans", name, detail=command.name)
    elif proofs.looks_proved(exam, name, command.name):
        exam.report("not-null-probably-proved", name, detail=command.name)
    else:
        exam.report("not-null-scans", name, detail=command.name)


def _drop_not_null(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    table = exam.model.table(name)
    primary = table.primary_key() if table is not None else None
    column = exam.model.column(name, command.name)
    if primary is not None and command.name in primary.columns:
        exam.report("always-fails", name, detail=f"{command.name} is in the primary key")
    elif column is not None and column.identity:
        exam.report("always-fails", name, detail=f"{command.name} is an identity column")


def _set_expression(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    if exam.pg_major < _EXPRESSION_CAN_CHANGE:
        exam.report(
            "version-too-old", name,
            detail=f"{exam.pg_major} has no SET EXPRESSION (17 has)",
        )  # fmt: skip
        return
    column = exam.model.column(name, command.name)
    if column is None or column.generated != "virtual":
        exam.report("expression-rewrites-table", name, detail=command.name)


def _brief(exam: Examination, name: str, _command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)


def _set_identity(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    if starts_over(command.def_):
        exam.report("sequence-restarted", name)


def _add_identity(exam: Examination, name: str, command: Node) -> None:
    exam.take(name, ACCESS_EXCLUSIVE)
    column = exam.model.column(name, command.name)
    if column is not None and column.type is not None and not column.not_null:
        exam.report(
            "always-fails",
            name,
            detail=f"an identity column must be NOT NULL, {column.name} is not",
        )


COMMANDS: Final[dict[AlterTableType, Callable[[Examination, str, Node], None]]] = {
    AlterTableType.AT_AddColumn: _add_column,
    AlterTableType.AT_DropColumn: _drop_column,
    AlterTableType.AT_ColumnDefault: _default,
    AlterTableType.AT_DropIdentity: _drop_identity,
    AlterTableType.AT_AddIdentity: _add_identity,
    AlterTableType.AT_SetIdentity: _set_identity,
    AlterTableType.AT_SetNotNull: _set_not_null,
    AlterTableType.AT_DropNotNull: _drop_not_null,
    AlterTableType.AT_SetExpression: _set_expression,
    AlterTableType.AT_DropExpression: _brief,
    AlterTableType.AT_SetStorage: _brief,
    AlterTableType.AT_SetCompression: _brief,
}
