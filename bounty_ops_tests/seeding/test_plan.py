"""How many rows each table gets, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, ForeignKey, MetaData, Table, Text

from bounty_ops.errors import UsageError
from bounty_ops.schema.bounty import Base
from bounty_ops.seeding import MINIMUM_ROWS, plan_rows
from bounty_ops.seeding.plan import LOOKS_AT, table_order

_TOTALS = st.integers(MINIMUM_ROWS, 5000) | st.integers(MINIMUM_ROWS, 10**9)


@given(total=_TOTALS)
def test_the_rows_of_all_tables_sum_to_what_was_asked(total: int) -> None:
    rows = plan_rows(total)
    assert rows.keys() == Base.metadata.tables.keys()
    assert sum(rows.values()) == total
    assert min(rows.values()) >= 1


@given(total=_TOTALS)
def test_no_table_gets_more_rows_than_its_keys_allow(total: int) -> None:
    rows = plan_rows(total)
    for once_a_user in (
        "user_profile",
        "user_reputation",
        "onboarding_state",
        "onboarding_coupon",
        "feature_vote",
    ):
        assert rows[once_a_user] <= rows["user"]
    assert rows["organization"] > rows["user"], "one of his own for everybody, and teams"
    assert rows["account"] > rows["user"], "one to sign in for everybody, and tools"
    assert rows["member"] >= rows["organization"], "every organization has its owner"


def test_too_few_rows_are_refused_with_the_number_that_is_enough() -> None:
    with pytest.raises(UsageError) as refused:
        plan_rows(MINIMUM_ROWS - 1)
    assert str(MINIMUM_ROWS - 1) in str(refused.value)
    assert str(MINIMUM_ROWS) in refused.value.hint


def test_what_a_row_refers_to_or_looks_at_is_written_before_it() -> None:
    order = table_order(Base.metadata)
    assert sorted(order) == sorted(Base.metadata.tables)
    place = {table: number for number, table in enumerate(order)}
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            parent = key.column.table.name
            assert parent == table.name or place[parent] < place[table.name]
    for table_name, others in LOOKS_AT.items():
        assert all(place[other] < place[table_name] for other in others)


def test_tables_that_refer_to_each_other_in_a_circle_are_not_ordered_by_luck() -> None:
    metadata = MetaData()
    Table("egg", metadata, Column("hen", Text, ForeignKey("hen.id")), Column("id", Text))
    Table("hen", metadata, Column("egg", Text, ForeignKey("egg.id")), Column("id", Text))
    with pytest.raises(ValueError, match="cycle"):
        table_order(metadata)
