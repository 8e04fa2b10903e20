"""Triggers, functions and sequences that are not there, or are there already."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pglast import ast

from bounty_ops.migrating.lint.sqltypes import parse_type, read_type
from bounty_ops.migrating.lint.tree import (
    below,
    constant,
    dotted,
    plain_function,
    qualified,
    relation_name,
    strings,
)

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.examination import Examination
    from bounty_ops.migrating.lint.tree import Node

_DEFINES: Final = (
    ast.AlterTableStmt, ast.CreateStmt, ast.IndexStmt, ast.CreatePolicyStmt, ast.AlterPolicyStmt,
    ast.CreateTrigStmt, ast.CreateDomainStmt, ast.AlterDomainStmt, ast.ViewStmt,
)  # fmt: skip
"""Statements whose expressions are looked up as they are carried out."""

_OF_SEQUENCES: Final = frozenset({"nextval", "currval", "setval"})
_WORD: Final = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


def extend(exam: Examination, _node: Node) -> None:
    """CREATE EXTENSION: from here on there may be more than was there before."""
    model = exam.model
    for names in (model.function_names, model.type_names, model.default_classes):
        names.clear()
    model.operator_classes.clear()


def lacks_functions(exam: Examination, node: Node) -> None:
    """Say so when a definition calls a function that is not there."""
    names = exam.model.function_names
    if not names or not isinstance(node, _DEFINES):
        return
    for each in below(node, ast.FuncCall):
        full = plain_function(each.funcname)
        # A type's name calls its conversion.
        if full.rpartition(".")[2] not in names and full not in exam.model.type_names:
            exam.report("always-fails", detail=f"there is no function {full}()")
            return


def lacks_sequences(exam: Examination, node: Node) -> None:
    """Say so when nextval() or its relatives name a sequence that is not there."""
    if not exam.model.complete:
        return
    for each in below(node, ast.FuncCall):
        if plain_function(each.funcname) not in _OF_SEQUENCES or not each.args:
            continue
        name = _sequence(each.args[0])
        if name is not None and not _is_sequence(exam, name):
            exam.report("always-fails", detail=f"there is no sequence {name}")
            return


def _sequence(argument: Node) -> str | None:
    """The name in 'schema.name'::regclass, as everything here goes by."""
    while isinstance(argument, ast.TypeCast):
        argument = argument.arg
    text = constant(argument)
    if not text:
        return None
    words = [a.replace('""', '"') or b.strip().lower() for a, b in _WORD.findall(text)]
    return qualified(words[-2] if len(words) > 1 else None, words[-1]) if words else None


def _is_sequence(exam: Examination, name: str) -> bool:
    known = exam.model.sequences
    # Without a schema, search_path decides, and the session's is not known.
    anywhere = {each.rpartition(".")[2] for each in known} if "." not in name else set()
    return name in known or name in anywhere or exam.is_new(name)


def create_sequence(exam: Examination, node: Node) -> None:
    """CREATE SEQUENCE."""
    name = relation_name(node.sequence)
    if name in exam.model.sequences and not node.if_not_exists and not exam.is_new(name):
        exam.report("always-fails", detail=f"there is a sequence {name} already")
    exam.born.add(name)


def lacks_sequence(exam: Examination, node: Node) -> bool:
    """Say so when ALTER SEQUENCE names none."""
    name = relation_name(node.sequence)
    if not exam.model.complete or node.missing_ok or _is_sequence(exam, name):
        return False
    exam.report("always-fails", detail=f"there is no sequence {name}")
    return True


def missing_trigger(exam: Examination, table: str, trigger: str) -> bool:
    """Say so when a table, known in full, has no trigger of that name."""
    known = exam.model.table(table)
    if not exam.model.complete or known is None or trigger in known.triggers:
        return False
    exam.report("always-fails", table, detail=f"{table} has no trigger {trigger}", lock=None)
    return True


def cannot_be_trigger(exam: Examination, node: Node) -> bool:
    """Say so when CREATE TRIGGER has no table, no function, or a name that is taken."""
    name = relation_name(node.relation)
    why = ""
    table = exam.model.table(name)
    if exam.is_missing(name):
        why = f"there is no table {name}"
    elif table is not None and node.trigname in table.triggers and not node.replace:
        why = f"{name} has a trigger {node.trigname} already"
    else:
        why = _no_trigger_function(exam, plain_function(node.funcname))
    if why:
        exam.report("always-fails", name, detail=why, lock=None)
    return bool(why)


def _no_trigger_function(exam: Examination, function: str) -> str:
    names = exam.model.function_names
    if names and function.rpartition(".")[2] not in names:
        return f"there is no function {function}()"
    known = exam.model.functions.get(function)
    if known is None or known.arguments is None or known.returns is None:
        return ""
    if known.arguments:
        return f"{function}() has arguments, which the function of a trigger has not"
    return "" if known.returns.name == "trigger" else f"{function}() does not return trigger"


def missing_routine(exam: Examination, dropped: Node) -> str:
    """Why a function or procedure that a DROP names is not there; empty if it may be."""
    names = exam.model.function_names
    full = dotted(dropped.objname)
    if not names:
        return ""
    if full.rpartition(".")[2] not in names:
        return f"there is no function {full}"
    known = exam.model.functions.get(full)
    if known is None or known.arguments is None or dropped.args_unspecified:
        return ""
    given = [str(read_type(each)) for each in dropped.objargs or ()]
    there = [str(parse_type(each)) for each in known.arguments.split(", ") if each]
    if [_bare(each) for each in given] == [_bare(each) for each in there]:
        return ""
    return f"there is no function {full}({', '.join(given)}), only {full}({known.arguments})"


def _bare(declared: str) -> str:
    return re.sub(r"\(.*\)", "", declared)


def trigger_names(node: Node) -> list[tuple[str, str]]:
    """The tables and triggers that a DROP TRIGGER names."""
    listed = [strings(each) for each in node.objects or ()]
    return [(qualified(words[-3] if words[2:] else None, words[-2]), words[-1]) for words in listed]
