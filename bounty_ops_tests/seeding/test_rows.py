"""The rows themselves, checked without a database."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bounty_ops.schema.bounty import Base
from bounty_ops.seeding import MINIMUM_ROWS, plan_rows
from bounty_ops.seeding.tables import SOURCES
from bounty_ops.seeding.tables.work import _applicants
from bounty_ops.seeding.world import NOBODY, TOKEN_TABLES, World
from bounty_ops_tests.seeding.facts import facts, generate, values, violations

_DIGEST = """
import hashlib
from bounty_ops_tests.seeding.facts import generate
print(hashlib.sha256(repr(generate(2000, 20260101)).encode()).hexdigest())
"""


def test_every_column_of_every_table_is_filled() -> None:
    for name, table in Base.metadata.tables.items():
        assert sorted(SOURCES[name].columns) == sorted(column.name for column in table.columns)
    assert SOURCES.keys() == Base.metadata.tables.keys()


def test_ids_take_the_form_that_fits_the_schema() -> None:
    without_default = {
        name
        for name, table in Base.metadata.tables.items()
        if table.columns["id"].server_default is None
    }
    assert without_default == TOKEN_TABLES


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.integers(MINIMUM_ROWS, 3000), seed=st.integers(-(2**63), 2**63))
def test_rows_of_any_size_and_seed_break_no_rule_of_the_schema(rows: int, seed: int) -> None:
    tables = generate(rows, seed)
    assert {table: len(made) for table, made in tables.items()} == plan_rows(rows)
    assert list(violations(tables)) == []
    applied = values(tables, "bounty_application", ["bounty_id", "applicant_id"])
    assert len(set(applied)) == len(applied), "nobody applies twice"


@pytest.mark.parametrize("rows", [MINIMUM_ROWS, MINIMUM_ROWS + 1, 20_000])
def test_the_smallest_and_a_usual_size_break_no_rule_either(rows: int) -> None:
    tables = generate(rows, 20260101)
    assert list(violations(tables)) == []
    assert all(
        len(row) == len(SOURCES[table].columns) for table, made in tables.items() for row in made
    )


def test_applicants_are_distinct_and_none_of_them_is_the_creator() -> None:
    for worker in [NOBODY, *range(1, plan_rows(MINIMUM_ROWS)["user"])]:
        world = World(1, plan_rows(MINIMUM_ROWS))
        world.bounties.creator.append(0)
        world.bounties.worker.append(worker)
        applicants = list(_applicants(world, 0, world.users - 2))
        assert len(set(applicants)) == world.users - 2
        assert 0 not in applicants
        assert worker == NOBODY or applicants[0] == worker, "who got it asked first"


def test_the_smallest_size_shows_every_status_of_a_bounty() -> None:
    found = values(generate(MINIMUM_ROWS, 5), "bounty", ["status"])
    assert {status for (status,) in found} == set(facts()["enums"]["bounty_status"]["values"])


def test_every_label_of_every_enum_that_a_column_uses_occurs() -> None:
    tables = generate(20_000, 20260101)
    for name, enum in facts()["enums"].items():
        found: set[object] = set()
        for column in enum["used_by"]:
            table, _, column_name = column.partition(".")
            found |= {value for (value,) in values(tables, table, [column_name])}
        assert found - {None} == (set(enum["values"]) if enum["used_by"] else set()), name


def test_texts_without_an_enum_keep_to_their_words() -> None:
    tables, domains = generate(20_000, 20260101), facts()["text_domains"]
    for name, words in domains.items():
        table, _, column = name.partition(".")
        if isinstance(words, list):
            found = {value for (value,) in values(tables, table, [column])} - {None}
            assert found == set(words), name
    for (written,) in values(tables, "organization", ["metadata"]):
        assert written is None or isinstance(json.loads(str(written)), dict)


def test_the_rows_are_the_same_on_every_python_and_machine() -> None:
    """A deliberate change of the sample data changes this number; another Python must not."""
    here = hashlib.sha256(repr(generate(2000, 20260101)).encode()).hexdigest()
    assert here == "f047705f65432927e8d163d18b1595ea5d44ec288feac1304bab6ab9bee1ccbc"


def test_the_rows_do_not_depend_on_the_order_of_hashes() -> None:
    root = Path(__file__).parent.parent.parent
    digests = {
        subprocess.run(
            [sys.executable, "-c", _DIGEST],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    here = hashlib.sha256(repr(generate(2000, 20260101)).encode()).hexdigest()
    assert digests == {here}


def test_another_seed_makes_other_rows_in_every_table() -> None:
    one, other = generate(2000, 1), generate(2000, 2)
    assert all(one[table] != other[table] for table in one)


def test_nobody_can_be_reached_or_signed_in_with_sample_data() -> None:
    tables = generate(20_000, 20260101)
    for table in ("user", "waitlist", "invite", "invitation"):
        for (email,) in values(tables, table, ["email"]):
            assert (
                str(email).partition("@")[2].endswith(("example.com", "example.org", "example.net"))
            )
    passwords = {value for (value,) in values(tables, "account", ["password"])}
    assert passwords == {None, "!sample-data-no-login"}
