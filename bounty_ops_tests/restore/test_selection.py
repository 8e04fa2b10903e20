"""Some tables of a backup come back with everything that they need, and nothing is left unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import RestoreError, UsageError
from bounty_ops.restore.contents import read_contents
from bounty_ops.restore.selection import choose_entries
from bounty_ops_tests.fix_backups import run, value
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.restore.restores import databases, new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.restore.restores import Restores

TINY = 1 / 2**30
LISTING = """
;
; Archive created at 2026-11-23 02:00:15 UTC
;     dbname: shop
;
8; 2615 100 SCHEMA - odd schema ada
1; 1247 101 TYPE public mood ada
;	depends on: 8
2; 1259 102 TABLE public user ada
;	depends on: 1
3; 1259 103 TABLE public user friend ada
4; 1259 104 TABLE odd schema user ada
;	depends on: 8
5; 0 102 TABLE DATA public user ada
;	depends on: 2
6; 0 103 TABLE DATA public user friend ada
;	depends on: 3
7; 2606 105 CONSTRAINT public user user_pkey ada
;	depends on: 2
9; 2606 106 FK CONSTRAINT public user friend user_friend_fkey ada
;	depends on: 2 3 7
10; 0 0 ACL public TABLE user ada
;	depends on: 2
"""
TABLES = {
    ("public", "user"): "ada",
    ("public", "user friend"): "ada",
    ("odd schema", "user"): "ada",
}


def chosen(*names: str, with_references: bool = False) -> set[int]:
    selection = choose_entries(
        read_contents(LISTING), TABLES, names, with_references=with_references
    )
    return {one.number for one in selection.entries}


def test_names_with_blanks_are_told_apart() -> None:
    assert chosen("user") == {8, 1, 2, 5, 7, 10}
    assert chosen("odd schema.user") == {8, 4}


def test_a_foreign_key_comes_only_with_both_of_its_ends() -> None:
    assert chosen("user friend") == {3, 6}
    assert chosen("user friend", "user") == {8, 1, 2, 3, 5, 6, 7, 9, 10}
    assert chosen("user friend", with_references=True) == {8, 1, 2, 3, 5, 6, 7, 9, 10}
    assert chosen("user", with_references=True) == {8, 1, 2, 5, 7, 10}
    told = choose_entries(read_contents(LISTING), TABLES, ["user friend"], with_references=False)
    assert any("user_friend_fkey" in line for line in told.explained)


@pytest.mark.parametrize(
    ("names", "rows", "bare"),
    [
        (("app.animal",), {"ONLY app.animal"}, {"app.event"}),
        (("app.empty_table", "app.child"), {"ONLY app.child"}, {"app.animal"}),
        (("app.hashed",), {"app.hashed"}, {"app.animal"}),
        (("app.event",), {"app.event"}, {"app.animal"}),
        (('Zoo Größe "quoted".Tisch mit "Namen" 🐘',), set(), {"app.animal"}),
    ],
)
@pytest.mark.parametrize("shard_above_gib", [8.0, TINY])
@pytest.mark.many(every=3)
def test_chosen_tables_come_back_whole_into_a_database_of_their_own(
    zoo: DatabaseUrl,
    restores: Restores,
    *,
    names: tuple[str, ...],
    rows: set[str],
    bare: set[str],
    shard_above_gib: float,
) -> None:
    manifest = restores.backups.take(zoo, shard_above_gib=shard_above_gib)
    target = restores.target(zoo.with_database(new_name()))

    done = restores.restore(manifest, target, tables=names)

    assert (done.done, done.differences) == (True, ())
    assert done.notes[0].startswith("with rows: ")
    for table in rows:
        count = f"SELECT count(*) FROM {table}"
        assert value(target.url, count) == value(zoo, count) > 0
    for table in bare:
        assert value(target.url, f"SELECT to_regclass('{table}') IS NULL")


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_every_major_says_what_its_entries_need(
    make_zoo: Callable[[int], DatabaseUrl], restores: Restores, major: int
) -> None:
    zoo = make_zoo(major)
    manifest = restores.backups.take(zoo)
    target = restores.target(zoo.with_database(new_name()))

    done = restores.restore(manifest, target, tables=("app.event",), with_references=True)

    assert (done.done, done.differences) == (True, ())
    assert any("app.animal" in note for note in done.notes if note.startswith("with rows"))
    assert value(target.url, "SELECT count(*) FROM app.event") == 400
    assert value(target.url, "SELECT count(*) FROM app.animal") == 2004


def test_a_selection_that_lacks_an_index_differs(
    fresh_database: DatabaseUrl, restores: Restores
) -> None:
    run(fresh_database, "CREATE TABLE fruit (i integer PRIMARY KEY)", "CREATE TABLE other ()")
    manifest = restores.backups.take(fresh_database)
    line = "public.more: CREATE INDEX more ON public.fruit USING btree (i)"
    indexes = sorted([*manifest.inventory["indexes"], line])
    expecting = manifest.model_copy(
        update={"inventory": {**manifest.inventory, "indexes": indexes}}
    )
    target = restores.target(fresh_database.with_database(new_name()))

    done = restores.restore(expecting, target, tables=("fruit",))

    assert not done.done
    assert [one.expected for one in done.differences] == [line]


def test_a_selection_never_replaces_a_whole_database(zoo: DatabaseUrl, restores: Restores) -> None:
    manifest = restores.backups.take(zoo)
    with pytest.raises(RestoreError, match="the chosen tables alone would replace it"):
        restores.plan(manifest, restores.target(zoo), tables=("app.animal",))


def test_a_table_that_is_not_there_is_a_wrong_usage(zoo: DatabaseUrl, restores: Restores) -> None:
    manifest = restores.backups.take(zoo)
    target = restores.target(zoo.with_database(new_name()))
    with pytest.raises(UsageError, match=r"has no table app\.dragon"):
        restores.restore(manifest, target, tables=("app.dragon",))
    assert databases(zoo, target.url.database) == []
