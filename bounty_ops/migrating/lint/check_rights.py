"""GRANT, REVOKE, roles, functions with their owner's rights; and publications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.enums import AlterPublicationAction, GrantTargetType, ObjectType, RoleSpecType

from bounty_ops.migrating.lint.learning import argument_types
from bounty_ops.migrating.lint.sqltypes import parse_type, read_type
from bounty_ops.migrating.lint.tree import dotted, option, published, relation_name, truth

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.examination import Examination
from bounty_ops.migrating.lint.tree import Node

_DEFAULT_FOR_PUBLIC: Final = frozenset({
    ObjectType.OBJECT_FUNCTION, ObjectType.OBJECT_PROCEDURE, ObjectType.OBJECT_ROUTINE,
    ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN, ObjectType.OBJECT_LANGUAGE,
})  # fmt: skip
"""PUBLIC has these rights from the beginning."""

_POWERFUL_ROLES: Final = frozenset({
    "pg_read_server_files", "pg_write_server_files", "pg_execute_server_program",
    "pg_read_all_data", "pg_write_all_data", "rds_superuser", "postgres", "cloudsqlsuperuser",
    "azure_pg_admin",
})  # fmt: skip
_POWERFUL: Final = {
    "superuser": "SUPERUSER: the role may do anything, past every right and every policy.",
    "bypassrls": "BYPASSRLS: row security does not exist for the role.",
    "isreplication": "REPLICATION: the role can copy the whole cluster.",
    "createrole": "CREATEROLE: the role can make roles and give them rights.",
}


_HARMLESS: Final = {
    ObjectType.OBJECT_SCHEMA: frozenset({"usage"}),
    ObjectType.OBJECT_DATABASE: frozenset({"connect", "temporary", "temp"}),
}


def _is_public(role: Node) -> bool:
    return bool(role.roletype == RoleSpecType.ROLESPEC_PUBLIC)


def grant(exam: Examination, node: Node) -> None:
    """GRANT and REVOKE on objects."""
    names = _object_names(node)
    for name in names if node.is_grant else ():
        if name in exam.model.tables:
            exam.fulfil(f"granted {name}")
    if names and all(exam.is_new(each) for each in names) and not node.is_grant:
        return
    rights = [each.priv_name for each in node.privileges or () if each.priv_name] or ["all"]
    if node.is_grant:
        harmless = node.objtype in _DEFAULT_FOR_PUBLIC or set(rights) <= _HARMLESS.get(
            node.objtype, frozenset()
        )
        if any(_is_public(each) for each in node.grantees or ()) and not harmless:
            exam.report("grant-to-public", names[0] if names else None, lock=None,
                        detail=f"GRANT {', '.join(rights).upper()}")  # fmt: skip
    else:
        roles = [each.rolename for each in node.grantees or () if not _is_public(each)]
        if names and all(_fills_identity(exam, each) for each in names):
            return
        if roles and node.targtype != GrantTargetType.ACL_TARGET_DEFAULTS:
            exam.report("rights-revoked", detail=str(roles[0] or "the current role"))


def _object_names(node: Node) -> list[str]:
    found = []
    for each in node.objects or ():
        if isinstance(each, ast.RangeVar):
            found.append(relation_name(each))
        elif isinstance(each, ast.String):
            found.append(each.sval or "")
    return found


def _fills_identity(exam: Examination, sequence: str) -> bool:
    """Whether an identity column draws from it, which asks nobody for a right."""
    return any(
        column.identity and sequence == f"{table.name}_{column.name}_seq"
        for table in exam.model.tables.values()
        for column in table.columns.values()
    )


def default_privileges(exam: Examination, node: Node) -> None:
    """ALTER DEFAULT PRIVILEGES."""
    grant(exam, node.action)


def grant_role(exam: Examination, node: Node) -> None:
    """GRANT of a role to another one."""
    powerful = [
        each.priv_name for each in node.granted_roles or () if each.priv_name in _POWERFUL_ROLES
    ]
    if node.is_grant and powerful:
        exam.report("role-too-powerful", detail=f"Membership in {powerful[0]} reaches past the "
                    "rights on single objects.")  # fmt: skip


def role(exam: Examination, node: Node) -> None:
    """CREATE ROLE and ALTER ROLE."""
    for name, reason in _POWERFUL.items():
        found = option(node.options, name)
        if found is not None and truth(found.arg):
            exam.report("role-too-powerful", detail=reason)
    password = option(node.options, "password")
    if password is not None and password.arg is not None and not _is_hashed(password.arg.sval):
        exam.report("password-in-file")


def _is_hashed(text: str) -> bool:
    return text.startswith("SCRAM-SHA-256$")


def create_function(exam: Examination, node: Node) -> None:
    """CREATE FUNCTION: harmless until it is called, unless it lends its owner's rights."""
    name = dotted(node.funcname)
    exam.fulfil(f"routine {name}")
    _cannot_replace(exam, node, name)
    if name not in exam.model.functions:
        exam.born.add(f"{name}()")
    _definer(exam, node.options)


def _cannot_replace(exam: Examination, node: Node, name: str) -> None:
    """CREATE OR REPLACE keeps the type of the result; plain CREATE meets the same arguments."""
    known = exam.model.functions.get(name)
    if known is None or known.arguments is None or known.returns is None:
        return
    if argument_types(node) != _read_list(known.arguments):
        return
    if not node.replace:
        exam.report("always-fails", detail=f"there is a function {name}({known.arguments})")
    elif _renames_argument(node, known.argument_names):
        exam.report("always-fails", detail=f"CREATE OR REPLACE FUNCTION cannot rename an argument "
                    f"of {name}")  # fmt: skip
    elif node.returnType is not None and read_type(node.returnType) != known.returns:
        exam.report("always-fails", detail=f"CREATE OR REPLACE FUNCTION cannot change what {name} "
                    f"returns ({known.returns})")  # fmt: skip


def _renames_argument(node: Node, names: tuple[str, ...]) -> bool:
    given = [each.name or "" for each in node.parameters or ()]
    return any(old and old != new for old, new in zip(names, given, strict=False))


def _read_list(arguments: str) -> list[str]:
    return [str(parse_type(each)) for each in arguments.split(", ") if each]


def alter_function(exam: Examination, node: Node) -> None:
    """ALTER FUNCTION."""
    _definer(exam, node.actions)


def _definer(exam: Examination, options: Node) -> None:
    security = option(options, "security")
    if security is None or not truth(security.arg):
        return
    sets = [each.arg for each in options or () if each.defname == "set"]
    if not any(each.name == "search_path" for each in sets):
        exam.report("definer-without-search-path")


def create_publication(exam: Examination, node: Node) -> None:
    """CREATE PUBLICATION."""
    _needs_identity(exam, published(node.pubobjects))
    if not node.for_all_tables:
        return
    without = [
        each.name
        for each in exam.model.tables.values()
        if each.kind == "table" and each.complete and not _has_identity(exam, each.name)
    ]
    if without:
        exam.report("publication-without-identity", detail=without[0])
    elif not exam.model.complete:
        exam.report("publication-without-identity", detail="A table without a primary key, now or "
                    "later,")  # fmt: skip


def _can_be_published(exam: Examination, publication: str, names: list[str]) -> None:
    for name in names:
        table = exam.model.table(name)
        if table is None or not table.complete:
            continue
        if table.unlogged:
            exam.report("always-fails", name, detail=f"{name} is unlogged, and cannot be published")
        elif publication in table.publications:
            exam.report("always-fails", name, detail=f"{publication} publishes {name} already")


def _needs_identity(exam: Examination, names: list[str]) -> None:
    for name in names:
        if not _has_identity(exam, name):
            exam.report("publication-without-identity", detail=name)


def _has_identity(exam: Examination, name: str) -> bool:
    table = exam.model.table(name)
    if table is None or not table.complete:
        return True
    return table.replica_identity in {"full", "index"} or table.primary_key() is not None


def alter_publication(exam: Examination, node: Node) -> None:
    """ALTER PUBLICATION."""
    listed = published(node.pubobjects)
    if exam.model.complete and node.pubname not in exam.model.publications:
        exam.report("always-fails", detail=f"there is no publication {node.pubname}")
    elif node.action == AlterPublicationAction.AP_AddObjects:
        _can_be_published(exam, node.pubname, listed)
        _needs_identity(exam, listed)
    elif node.action == AlterPublicationAction.AP_DropObjects:
        exam.report("publication-shrinks", detail=f"{node.pubname} loses "
                    f"{', '.join(listed) or 'tables'}")  # fmt: skip
    elif node.pubobjects:
        lost = [
            each.name
            for each in exam.model.tables.values()
            if node.pubname in each.publications and each.name not in listed
        ]
        if lost or not exam.model.complete:
            exam.report("publication-shrinks", detail=f"{node.pubname} carries only what is listed "
                        "here")  # fmt: skip
        _needs_identity(exam, listed)


def drop_role_objects(exam: Examination, node: Node) -> None:
    """DROP OWNED, DROP DATABASE, DROP ROLE."""
    if isinstance(node, ast.DropOwnedStmt):
        exam.report("database-dropped", detail="DROP OWNED")
    elif isinstance(node, ast.DropdbStmt):
        exam.report("database-dropped", detail="DROP DATABASE")
    elif isinstance(node, ast.DropRoleStmt):
        names = [each.rolename for each in node.roles or () if each.rolename]
        exam.report("object-dropped", detail=f"the role {', '.join(names)}", lock=None)
    else:
        exam.report("publication-shrinks", detail=f"DROP SUBSCRIPTION {node.subname}")
