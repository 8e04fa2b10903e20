"""From what differs to the steps that settle it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.drift.altering import alter, owned_by, rename
from bounty_ops.migrating.drift.columns import alter_column
from bounty_ops.migrating.drift.comparing import BY_ASPECT
from bounty_ops.migrating.drift.replacing import (
    alter_attributes,
    put_aside,
    replace_type,
    take_over,
)
from bounty_ops.migrating.drift.rights import kept_rights
from bounty_ops.migrating.drift.steps import Step, StepId, Steps, rank_of_drop, rank_of_make
from bounty_ops.migrating.drift.writing import FOREIGN_KEY, create, drop, is_foreign_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.migrating.catalog import Catalog, Item, Key
    from bounty_ops.migrating.drift.comparing import Change, Renaming
    from bounty_ops.migrating.drift.forcing import Fates

_TABLES: Final = ("table", "foreign_table")


class Planning:
    """Makes the steps, and says which of them have to wait for which others."""

    def __init__(
        self, changes: Mapping[Key, Change], fates: Fates, expected: Catalog, found: Catalog
    ) -> None:
        self._changes = changes
        self._fates = fates
        self._expected = expected
        self._found = found
        self._steps = Steps()
        self._gone = fates.dropped | fates.remade
        self._made = fates.created | fates.remade

    def steps(self, pairs: tuple[Renaming, ...]) -> list[Step]:
        """All steps in the order in which they can be taken."""
        for pair in pairs:
            key = pair.expected.key
            self._steps.add(
                Step(("rename", key, ""), 0, (rename(pair.found, pair.expected),), (key, "name"))
            )
        for key in sorted(self._gone):
            self._drop(key)
        for key in sorted(self._made):
            self._create(key)
        for key in sorted(self._fates.altered):
            self._alter(self._changes[key])
        for key in sorted(self._fates.replaced):
            self._replace(self._changes[key])
        self._wait()
        return self._steps.in_order()

    # What a statement about another object does along with it.

    def goes_with(self, key: Key) -> Key:
        """The object whose removal removes this one."""
        item = self._found.items.get(key)
        if item is None:
            return key
        for owner in self._owners(item):
            if owner in self._fates.dropped or (owner[0] == "column" and owner in self._gone):
                if is_foreign_key(item) and self._refers_to_dropped(item):
                    return key  # two tables that refer to each other: neither could go first
                return self.goes_with(owner)
        return key

    def _owners(self, item: Item) -> list[Key]:
        if item.kind == "comment":
            return [need for need in item.needs if need in self._gone]
        if item.kind == "sequence":
            table, column = item.texts.get("owner_table"), item.texts.get("owner_column")
            if item.key in self._fates.dropped and table is not None:
                return [("table", table), ("column", table, str(column))]
            return []
        owners = [("column", *item.key[1:])] if item.kind == "default" else []
        if item.table is not None:
            kinds = (*_TABLES, "view", "materialized_view")
            owners += [(kind, item.table) for kind in kinds]
        return owners

    def _refers_to_dropped(self, item: Item) -> bool:
        return any(
            need[1] != item.key[1] and ("table", need[1]) in self._fates.dropped
            for need in item.needs
        )

    def goes_unsaid(self, key: Key) -> bool:
        """Whether an object goes by a step of its own, and yet only because its table goes."""
        item = self._found.items.get(key)
        return (
            item is not None
            and key in self._fates.dropped
            and is_foreign_key(item)
            and ("table", key[1]) in self._fates.dropped
        )

    def comes_with(self, key: Key) -> Key:
        """The object whose creation creates this one."""
        item = self._expected.items.get(key)
        if item is None:
            return key
        if item.kind == "default" and ("column", *key[1:]) in self._expected.items:
            column = ("column", *key[1:])
            host = self.comes_with(column)
            return host if host != column or column in self._made else key
        if item.kind == "column" or (
            item.kind == "constraint"
            and not is_foreign_key(item)
            and item.facts["validity"] == "valid"
        ):
            for kind in _TABLES:
                if (kind, key[1]) in self._made:
                    return (kind, key[1])
        return key

    # The steps.

    def _owner(self, key: Key, aspect: str = "") -> tuple[Key, str] | None:
        change = self._changes.get(key)
        if change is None or self.goes_unsaid(key):
            return None
        if change.aspects and key[0] in BY_ASPECT:
            return (key, aspect if aspect in change.aspects else change.aspects[0])
        return (key, "")

    def _drop(self, key: Key) -> None:
        item = self._found.items[key]
        if self.goes_with(key) != key:
            return
        if item.kind == "comment" and key in self._fates.remade:
            return  # it went with what it is about
        if item.kind == "column" and self.comes_with(key) != key and key in self._fates.remade:
            return
        statements = drop(item)
        if item.kind == "table" and key in self._fates.remade:
            statements = put_aside(item, self._found)
        name = FOREIGN_KEY if is_foreign_key(item) else item.kind
        id_: StepId = ("drop", key, "")
        self._steps.add(Step(id_, rank_of_drop(name), statements, self._owner(key)))

    def _create(self, key: Key) -> None:
        item = self._expected.items[key]
        if self.comes_with(key) != key:
            return
        statements = create(item, self._expected)
        if item.kind == "table" and key in self._fates.remade:
            statements = take_over(item, self._expected, self._found)
        if key in self._fates.remade:
            statements += kept_rights(key, self._found)
        name = FOREIGN_KEY if is_foreign_key(item) else item.kind
        id_: StepId = ("create", key, "")
        self._steps.add(Step(id_, rank_of_make(name), statements, self._owner(key)))
        if item.kind == "sequence" and "owner_table" in item.texts:
            self._own(item)
        replica = item.facts.get("replica_identity", "default")
        if replica != "default":
            self._add_alteration(item, "replica_identity", alter(item, item, "replica_identity"))

    def _own(self, item: Item) -> None:
        self._add_alteration(item, "owned_by", (owned_by(item),))

    def _add_alteration(self, item: Item, aspect: str, statements: tuple[str, ...]) -> None:
        id_: StepId = ("alter", item.key, aspect)
        rank = rank_of_make(item.kind, aspect)
        self._steps.add(Step(id_, rank, statements, self._owner(item.key, aspect)))

    def _alter(self, change: Change) -> None:
        expected, found = change.expected, change.found
        if expected is None or found is None or self.comes_with(change.key) != change.key:
            return
        for aspect in change.aspects:
            if expected.kind == "column":
                statements = alter_column(expected, found, aspect, self._found.major)
            else:
                statements = alter(expected, found, aspect)
            step_aspect = aspect
            if aspect == "identity" and "identity" not in expected.facts:
                rank = rank_of_make("column", "identity gone")
            else:
                rank = rank_of_make(expected.kind, aspect)
            id_: StepId = ("alter", change.key, step_aspect)
            self._steps.add(Step(id_, rank, statements, self._owner(change.key, aspect)))

    def _replace(self, change: Change) -> None:
        expected, found = change.expected, change.found
        if expected is None or found is None:
            return
        if expected.kind == "composite_type":
            statements = alter_attributes(expected, found)
        else:
            statements = replace_type(expected, self._expected, self._found)
            statements += kept_rights(expected.key, self._found)
        self._add_alteration(expected, change.aspects[0], statements)

    # The order.

    def _drop_id(self, key: Key) -> StepId:
        return ("drop", self.goes_with(key) if key in self._gone else key, "")

    def _create_id(self, key: Key) -> StepId:
        return ("create", self.comes_with(key) if key in self._made else key, "")

    def _wait(self) -> None:
        for item in self._found.items.values():
            self._wait_to_go(item)
        for item in self._expected.items.values():
            self._wait_to_come(item)
        names = self._names_given_up()
        for key in self._gone:
            self._steps.before(self._drop_id(key), self._create_id(key))
            if key[0] in ("column", "constraint"):  # an inherited one cannot be dropped
                disowned: StepId = ("alter", ("table", key[1]), "inheritance")
                self._steps.before(disowned, self._drop_id(key))
        for key in self._made:
            for name in _global_names(self._expected.items[key]):
                for other in names.get(name, ()):
                    self._steps.before(self._drop_id(other), self._create_id(key))

    def _wait_to_go(self, item: Item) -> None:
        mine = self._drop_id(item.key)
        changing = self._steps.alterations(item.key)
        for need in item.needs:
            theirs = self._drop_id(need)
            self._steps.before(mine, theirs)
            if need[0] not in _TABLES:
                for alteration in self._steps.alterations(need):
                    self._steps.before(mine, alteration)
            for alteration in changing:
                self._steps.before(alteration, theirs)
        if item.kind == "sequence" and "owner_table" in item.texts:
            column = ("column", item.texts["owner_table"], item.texts["owner_column"])
            self._steps.before(("alter", item.key, "owned_by"), self._drop_id(column))

    def _wait_to_come(self, item: Item) -> None:
        mine = self._create_id(item.key)
        changing = self._steps.alterations(item.key)
        for id_ in changing:
            self._steps.before(("create", item.key, ""), id_)
        for need in item.needs:
            theirs = self._create_id(need)
            self._steps.before(theirs, mine)
            for id_ in changing:
                self._steps.before(theirs, id_)
            for alteration in self._steps.alterations(need):
                self._steps.before(alteration, mine)
                for id_ in changing:
                    self._steps.before(alteration, id_)
        if item.kind == "sequence" and "owner_table" in item.texts:
            column = ("column", item.texts["owner_table"], item.texts["owner_column"])
            self._steps.before(self._create_id(column), ("alter", item.key, "owned_by"))

    def _names_given_up(self) -> dict[str, list[Key]]:
        names: dict[str, list[Key]] = {}
        for key in self._gone:
            for name in _global_names(self._found.items[key]):
                names.setdefault(name, []).append(key)
        return names


def _global_names(item: Item) -> tuple[str, ...]:
    """The names within the schema that an object takes: tables, indexes and types share them."""
    if item.kind == "constraint" and item.texts["form"] in ("primary key", "unique", "exclude"):
        return (item.key[2],)
    if item.kind in ("function", "procedure", "aggregate"):
        return (f"{item.key[1]}()",)  # another name of an argument is no other function
    named = (*_TABLES, "view", "materialized_view", "sequence", "index", "enum", "domain")
    if item.kind in (*named, "composite_type", "range_type", "base_type"):
        return (item.key[1],)
    return ()
