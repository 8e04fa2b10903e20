"""Owners and grants, where they are asked for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

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


def kept_rights(key: Key, catalog: Catalog) -> tuple[str, ...]:
    """The statements that give a new object the owner and the grants that the old one had."""
    said = []
    owner = catalog.owners.get(key)
    if owner is not None and owner != _main_owner(catalog):
        said.append(f"ALTER {_altered(key)} OWNER TO {quoted(owner)}")
    parts = [
        other
        for other in catalog.grants
        if other == key or (other[0] == "column" and key[0] in _TABLES and other[1] == key[1])
    ]
    usual = _USUAL.get(key[0], {})
    for part in sorted({key, *parts}):
        there = catalog.grants.get(part, {})
        expected = usual if part == key else {}
        if key in catalog.owners:
            gone = sorted(expected.keys() - there.keys())
            said += [_statement("REVOKE", "ALL", part, "FROM", role) for role in gone]
        for role, privileges in sorted(there.items()):
            if expected.get(role) != privileges:
                said += _grants(privileges, part, role)
    return tuple(said)


_TABLES: Final = frozenset({"table", "foreign_table", "view", "materialized_view"})
#: What everybody may do with a new object.
_USUAL: Final[dict[str, dict[str, str]]] = {
    "function": {"PUBLIC": "EXECUTE"},
    "procedure": {"PUBLIC": "EXECUTE"},
    "aggregate": {"PUBLIC": "EXECUTE"},
    "enum": {"PUBLIC": "USAGE"},
    "domain": {"PUBLIC": "USAGE"},
    "composite_type": {"PUBLIC": "USAGE"},
    "range_type": {"PUBLIC": "USAGE"},
}


def _statement(verb: str, privilege: str, key: Key, preposition: str, role: str) -> str:
    grantee = "PUBLIC" if role == "PUBLIC" else quoted(role)
    if key[0] == "column":
        return (
            f"{verb} {privilege} ({quoted(key[2])}) ON TABLE {public(key[1])} "
            f"{preposition} {grantee}"
        )
    name = f"TABLE {public(key[1])}" if key[0] in _TABLES else addressed(key)
    return f"{verb} {privilege} ON {name} {preposition} {grantee}"
