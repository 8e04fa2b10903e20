"""The files that are written: the same every time, readable, and run as they stand."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.migrating.generate import Generated, draft_revisions, generate, write_revisions
from bounty_ops.migrating.generate.renames import Rename
from bounty_ops.migrating.generate.writing import slug_of
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.revisions import read_revisions
from bounty_ops.migrating.script import statements_of
from bounty_ops_tests.migrating.generate.cases import CASES
from bounty_ops_tests.migrating.generate.shop import SHOP, changed, line_of

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl


def test_the_same_change_gives_the_same_bytes(tmp_path: Path, pg_server: DatabaseUrl) -> None:
    models = CASES["a column with a volatile default"].models
    contents = []
    for name in ("one", "two"):
        line = line_of(tmp_path / name / "bounty", SHOP, models)
        paths = generate(line, 'Give "it" a token\\', server=pg_server)
        contents.append({path.name: path.read_bytes() for path in paths})
        assert len(read_revisions(line.directory()).order) == 5
    assert contents[0] == contents[1]
    for file, content in contents[0].items():
        if file.endswith(".py"):
            ast.parse(content)
    first = contents[0]["bounty_0002_give_it_a_token_1_begin.sql"].decode()
    assert "-- locks purchase: ACCESS EXCLUSIVE; risk: brief" in first
    assert b"with op.get_context().autocommit_block()" not in b"".join(contents[0].values())


def test_what_runs_alone_says_so(tmp_path: Path, pg_server: DatabaseUrl) -> None:
    line = line_of(tmp_path / "bounty", SHOP, CASES["an index more"].models)
    (draft,) = draft_revisions(line, "Index it", server=pg_server).drafts
    assert "    with op.get_context().autocommit_block():\n" in draft.files()[f"{draft.stem}.py"]
    with pytest.raises(UsageError, match="this is an installation"):
        write_revisions(Generated((draft,), ()), tmp_path / "_migrations" / "bounty")


def test_bountys_own_models_and_migrations_agree(pg_server: DatabaseUrl) -> None:
    made = draft_revisions(BOUNTY, "nothing", server=pg_server)
    assert (made.drafts, made.differences) == ((), ())


def test_a_likely_rename_is_pointed_out_and_not_guessed(
    tmp_path: Path, pg_server: DatabaseUrl
) -> None:
    models = changed(
        (
            "CREATE TABLE label (id integer PRIMARY KEY, word",
            "CREATE TABLE label (id integer PRIMARY KEY, term",
        )
    )
    line = line_of(tmp_path / "bounty", SHOP, models)
    made = draft_revisions(line, "Term", server=pg_server)
    assert any("--rename label.word:term" in note for note in made.notes)
    assert "data" in {draft.risk for draft in made.drafts}


def test_a_value_that_nobody_has_named_is_asked_for(tmp_path: Path, pg_server: DatabaseUrl) -> None:
    case = CASES["a required column without a default"]
    line = line_of(tmp_path / "bounty", case.base, case.models)
    with pytest.raises(MigrationError, match=r"purchase\.code: required") as caught:
        generate(line, "Code", server=pg_server)
    assert "--fill purchase.code=" in caught.value.hint
    assert len(list((line.directory() / "versions").glob("*.py"))) == 1


@pytest.mark.parametrize("wish", ["label.nothing:x", "nothing:x", "state.nothing:x"])
def test_what_is_not_there_cannot_be_renamed(
    wish: str, tmp_path: Path, pg_server: DatabaseUrl
) -> None:
    line = line_of(tmp_path / "bounty", SHOP, CASES["a nullable column"].models)
    with pytest.raises(UsageError, match="has nothing of the name"):
        generate(line, "Rename", renames=[wish], server=pg_server)


@pytest.mark.parametrize("wish", ["a", "a.b", ":b", "a:", ""])
def test_a_rename_has_two_names(wish: str) -> None:
    with pytest.raises(UsageError, match="names no old and new name"):
        Rename.parse(wish)


def test_the_statements_of_a_script() -> None:
    script = (
        "-- a title\n\n-- what it costs\nCREATE TABLE a (\n    b text DEFAULT ';'\n);\n"
        "--> statement-breakpoint\n-- why\n-- bounty-ops: acknowledge some-rule: a reason\n"
        "DO $$ BEGIN\n  PERFORM 1;\nEND $$;\n"
    )
    assert statements_of(script) == [
        "CREATE TABLE a (\n    b text DEFAULT ';'\n)",
        "-- bounty-ops: acknowledge some-rule: a reason\nDO $$ BEGIN\n  PERFORM 1;\nEND $$",
    ]


@pytest.mark.parametrize(
    ("message", "slug"),
    [("Add Größe!", "add_groe"), ("  ", "change"), ("x" * 60, "x" * 40), ("日本", "change")],
)
def test_a_message_as_a_file_name(message: str, slug: str) -> None:
    assert slug_of(message) == slug
