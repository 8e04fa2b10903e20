"""docs/how-to/use-the-schema.md: each example runs, prints what the page shows, and is typed."""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, assert_type

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bounty_ops.postgres.connect import engine
from bounty_ops.schema.bounty import Base, Bounty, BountyStatus, User
from bounty_ops_tests.docs.pages import Block, blocks_of
from bounty_ops_tests.docs.shapes import difference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

_PAGE = "docs/how-to/use-the-schema.md"
_WRONG = """
from bounty_ops.schema.bounty import Bounty, BountyStatus

def wrong(bounty: Bounty) -> BountyStatus:
    bounty.title = 1
    bounty.nobody_has_this
    return bounty.amount
"""


def _examples() -> dict[str, Block]:
    return {block.value: block for block in blocks_of(_PAGE) if block.mark == "file"}


def _write_examples(directory: Path) -> None:
    for name, block in _examples().items():
        (directory / name).write_text(block.text, encoding="utf-8")


@pytest.fixture
def bounties(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A database with what the page takes for granted."""
    two_people_and_three_bounties(fresh_database)
    return fresh_database


def two_people_and_three_bounties(url: DatabaseUrl) -> None:
    """Make them in an empty database."""
    made = engine(url, application_name="tests")
    Base.metadata.create_all(made)
    people = [("user_ada", "Ada"), ("user_grace", "Grace")]
    tasks = [
        ("Speed up the search", "1200.00", BountyStatus.OPEN, "user_ada"),
        ("Fix the login page", "250.00", BountyStatus.OPEN, "user_grace"),
        ("Think of something", "5000.00", BountyStatus.DRAFT, "user_ada"),
    ]
    with Session(made) as session, session.begin():
        for key, name in people:
            session.add(User(id=key, name=name, email=f"{name.lower()}@example.com"))
        session.flush()
        for title, amount, status, author in tasks:
            session.add(
                Bounty(
                    title=title, description=title, amount=Decimal(amount), status=status,
                    created_by_id=author,
                )
            )  # fmt: skip
    made.dispose()


def _run(program: Path) -> list[str]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        names = runpy.run_path(str(program), run_name="__main__")
    if "engine" in names:
        names["engine"].dispose()
    return said.getvalue().splitlines()


def test_the_examples_print_what_the_page_shows(
    bounties: DatabaseUrl,
    make_database: Callable[[], DatabaseUrl],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", bounties.text())
    monkeypatch.setenv("TEST_DATABASE_URL", make_database().text())
    _write_examples(tmp_path)
    ran = set()
    for block in blocks_of(_PAGE):
        if not block.runs:
            continue
        for command in block.commands:
            program, name = command.text.split()
            assert program == "python", block.place
            printed = _run(tmp_path / name)
            assert difference(command.output, printed) is None, block.place
            ran.add(name)
    assert ran == set(_examples())


def test_columns_have_the_types_that_the_page_names(bounties: DatabaseUrl) -> None:
    made = engine(bounties, application_name="tests")
    with Session(made) as session:
        for bounty in session.scalars(select(Bounty)):
            # What mypy reads from the models is what the driver returns.
            assert isinstance(assert_type(bounty.amount, Decimal), Decimal)
            assert isinstance(assert_type(bounty.status, BountyStatus), BountyStatus)
            assert isinstance(assert_type(bounty.created_at, datetime), datetime)
            assert assert_type(bounty.deadline, datetime | None) is None
            assert assert_type(bounty.tags, list[str] | None) is None
    made.dispose()


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_strict_mypy_accepts_the_examples_and_finds_what_is_wrong(tmp_path: Path) -> None:
    """As in a service of somebody's own: no settings of this project, nothing but `py.typed`."""
    (tmp_path / "right").mkdir()
    _write_examples(tmp_path / "right")
    (tmp_path / "wrong.py").write_text(_WRONG, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", tmp_path / "c",
         "--no-error-summary", *sorted((tmp_path / "right").iterdir()), "wrong.py"],
        cwd=tmp_path,
        # Found as an installed package is, where mypy believes annotations only beside `py.typed`.
        env={name: value for name, value in os.environ.items() if name != "MYPYPATH"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    lines = [line.rpartition("  [")[2].rstrip("]") for line in done.stdout.splitlines()]
    assert all(line.startswith("wrong.py:") for line in done.stdout.splitlines()), done.stdout
    assert lines == ["assignment", "attr-defined", "return-value"]
