"""Owners and grants, where they are asked for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bounty_ops.migrating.catalog import Item
from bounty_ops.migrating.drift.model import Difference
from bounty_ops.migrating.drift.names import addressed, public, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.migrating.catalog import Catalog, Key


def differing_rights(expected: Catalog, found: Catalog) -> list[Difference]:
    """Objects of another owner than the rest, and who may do what beyond what is expected.

    A role that owns most of a schema is its owner, whatever it is called: so what the models say
    (one owner, no grants) can be compared with a server whose roles nobody wrote down.
    """
    result = []
    owner, usual = _main_owner(found), _main_owner(expected)
    for key in sorted(expected.owners.keys() & found.owners.keys()):
        name = Item(key, {}).name
        is_, should = found.owners[key], expected.owners[key]
        wanted = owner if should == usual else should
        if wanted is not None and is_ != wanted:
            change = f"ALTER {_altered(key)} OWNER TO {quoted(wanted)}"
            result.append(Difference("owner", f"{key[0]} {name}", wanted, is_, (change,)))
    for key in sorted(expected.items.keys() & found.items.keys()):
        result += _differing_grants(key, expected, found)
    return result


def _main_owner(catalog: Catalog) -> str | None:
    common = Counter(
        owner for key, owner in sorted(catalog.owners.items()) if key[0] == "table"
    ).most_common(1)
    return common[0][0] if common else None


def _altered(key: Key) -> str:
    return addressed(key).replace("FOREIGN TABLE", "TABLE")


def _differing_grants(key: Key, expected: Catalog, found: Catalog) -> Iterator[Difference]:
    wanted, there = expected.grants.get(key, {}), found.grants.get(key, {})
    for role in sorted({*wanted, *there}):
        should, is_ = wanted.get(role), there.get(role)
        if should == is_:
            continue
        name = f"{key[0]} {Item(key, {}).name} to {role}"
        statements = []
        if is_ is not None:
            statements.append(_statement("REVOKE", "ALL", key, "FROM", role))
        if should is not None:
            statements += _grants(should, key, role)
        yield Difference("grant", name, should, is_, tuple(statements))


def _grants(privileges: str, key: Key, role: str) -> Iterator[str]:
    for privilege in privileges.split(", "):
        plain = privilege.removesuffix(" WITH GRANT OPTION")
        option = privilege.removeprefix(plain)
        yield _statement("GRANT", plain, key, "TO", role) + option


def grants_of(key: Key, catalog: Catalog) -> tuple[str, ...]:
    """The statements that give roles what they may do with an object."""
    return tuple(
        statement
        for role, privileges in sorted(catalog.grants.get(key, {}).items())
        for statement in _grants(privileges, key, role)
    )


def _statement(verb: str, privilege: str, key: Key, preposition: str, role: str) -> str:
    grantee = "PUBLIC" if role == "PUBLIC" else quoted(role)
    if key[0] == "column":
        return (
            f"{verb} {privilege} ({quoted(key[2])}) ON TABLE {public(key[1])} "
            f"{preposition} {grantee}"
        )
    tables = ("table", "foreign_table", "view", "materialized_view")
    name = f"TABLE {public(key[1])}" if key[0] in tables else addressed(key)
    return f"{verb} {privilege} ON {name} {preposition} {grantee}"
