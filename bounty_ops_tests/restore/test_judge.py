"""A copy is proved only if everything that the manifest records was compared and equal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.journal.records import (
    Manifest,
    ObjectRecord,
    SequenceRecord,
    TableRecord,
    Verdict,
)
from bounty_ops.postgres.fingerprint import TableFingerprint
from bounty_ops.postgres.inventory import COMPARED, VERSION
from bounty_ops.postgres.sequences import SequenceState
from bounty_ops.restore import Observation, judge

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
ID = "20261122T020000Z-00000000"

NAMES = st.text("abé. \"'", min_size=1, max_size=4)
PRINTS = st.integers(0, 2**128 - 1).map(lambda number: f"valuesum1:{number:032x}")
TABLES = st.lists(
    st.builds(TableFingerprint, NAMES, NAMES, st.integers(0, 9), PRINTS),
    min_size=1,
    max_size=5,
    unique_by=lambda one: (one.schema, one.name),
).map(tuple)
SEQUENCES = st.lists(
    st.builds(
        SequenceState,
        NAMES,
        NAMES,
        st.none() | st.integers(-9, 9),
        st.sampled_from([-3, 1, 7]),
        st.just(value=False),
    ),
    max_size=3,
    unique_by=lambda one: (one.schema, one.name),
).map(tuple)
LINES = st.lists(st.text("ab: ,", min_size=1, max_size=6), max_size=4).map(sorted)
INVENTORIES = st.fixed_dictionaries(dict.fromkeys(COMPARED, LINES))
COPIES = st.builds(Observation, TABLES, SEQUENCES, INVENTORIES)


def manifest_of(source: Observation, **changes: Any) -> Manifest:  # noqa: ANN401 - of Manifest
    """The manifest of a backup whose source was like that."""
    values: dict[str, Any] = {
        "id": ID,
        "environment": "development",
        "database": "db",
        "taken_at": NOW,
        "finished_at": NOW,
        "seconds": 1.0,
        "taken_by": "a test",
        "server_version": "17.10",
        "client_version": "17.10",
        "server_major": 17,
        "compression": "zstd:1",
        "objects": (ObjectRecord(key="k", size_bytes=1, sha256="0" * 64),),
        "tables": tuple(
            TableRecord(
                schema_name=one.schema, name=one.name, rows=one.rows, fingerprint=one.fingerprint
            )
            for one in source.tables
        ),
        "sequences": tuple(
            SequenceRecord(schema_name=one.schema, name=one.name, last_value=one.last_value)
            for one in source.sequences
        ),
        "inventory": {name: list(lines) for name, lines in source.inventory.items()},
        "inventory_version": VERSION,
    }
    return Manifest(**{**values, **changes})


ONE_TABLE = (TableFingerprint("s", "t", 3, f"valuesum1:{7:032x}"),)
NOTHING_ELSE: dict[str, list[str]] = {name: [] for name in COMPARED}


def small(**changes: Any) -> Observation:  # noqa: ANN401 - of Observation
    return replace(Observation(ONE_TABLE, (), NOTHING_ELSE), **changes)


@given(COPIES)
def test_an_equal_copy_is_proved(copy: Observation) -> None:
    judgement = judge(manifest_of(copy), copy)

    assert judgement.verdict is Verdict.PROVED
    assert judgement.differences == ()
    assert judgement.tables_compared == len(copy.tables)
    assert judgement.rows_compared == sum(one.rows for one in copy.tables)


@given(COPIES, st.data())
def test_a_copy_with_one_other_table_is_refuted(copy: Observation, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(copy.tables) - 1))
    one = copy.tables[place]
    changes: list[tuple[TableFingerprint, ...]] = [
        (),
        (replace(one, rows=one.rows + 1),),
        (
            replace(
                one,
                fingerprint=f"valuesum1:{'f' * 31}{'0' if str(one.fingerprint)[-1] > '7' else '8'}",
            ),
        ),
        (one, TableFingerprint("another", "table", 0, one.fingerprint)),
    ]
    changed = data.draw(st.sampled_from(changes))
    tables = (*copy.tables[:place], *changed, *copy.tables[place + 1 :])

    judgement = judge(manifest_of(copy), replace(copy, tables=tables))

    assert judgement.verdict is Verdict.REFUTED
    [difference] = judgement.differences
    assert difference.kind in {"table", "rows", "content"}
    assert difference.expected != difference.found


@given(COPIES, st.sampled_from(COMPARED), st.text("xyz", min_size=1))
def test_a_line_more_or_less_refutes(copy: Observation, name: str, line: str) -> None:
    longer = {**copy.inventory, name: [*copy.inventory[name], line]}

    lost = judge(manifest_of(replace(copy, inventory=longer)), copy)
    gained = judge(manifest_of(copy), replace(copy, inventory=longer))

    for judgement in (lost, gained):
        assert judgement.verdict is Verdict.REFUTED
        [difference] = judgement.differences
        assert (difference.kind, difference.object) == (name, line)
    assert lost.differences[0].found is None
    assert gained.differences[0].expected is None


@given(COPIES, COPIES)
def test_whatever_differs_is_never_proved(source: Observation, copy: Observation) -> None:
    judgement = judge(manifest_of(source), copy)

    equal = set(source.tables) == set(copy.tables) and {
        k: list(v) for k, v in source.inventory.items()
    } == {k: list(v) for k, v in copy.inventory.items()}
    if judgement.verdict is Verdict.PROVED:
        assert equal
    else:
        assert judgement.differences


def test_a_changed_definition_is_one_difference() -> None:
    source = small(inventory={**NOTHING_ELSE, "columns": ["s.t.c: integer", "s.t.d: text"]})
    copy = small(inventory={**NOTHING_ELSE, "columns": ["s.t.c: bigint", "s.t.d: text"]})

    [difference] = judge(manifest_of(source), copy).differences

    assert (difference.kind, difference.object) == ("columns", "s.t.c")
    assert (difference.expected, difference.found) == ("s.t.c: integer", "s.t.c: bigint")


@pytest.mark.parametrize(
    ("recorded", "found", "increment", "cycles", "verdict"),
    [
        (5, 5, 1, False, Verdict.PROVED),
        (5, 9, 1, False, Verdict.PROVED),
        (5, 4, 1, False, Verdict.REFUTED),
        (5, None, 1, False, Verdict.REFUTED),
        (None, 7, 1, False, Verdict.PROVED),
        (None, None, 1, False, Verdict.PROVED),
        (-5, -9, -1, False, Verdict.PROVED),
        (-5, -4, -1, False, Verdict.REFUTED),
        (5, 1, 1, True, Verdict.PROVED),
        (5, None, 1, True, Verdict.REFUTED),
    ],
)
def test_a_copy_must_not_hand_out_a_value_twice(
    recorded: int | None, found: int | None, increment: int, *, cycles: bool, verdict: Verdict
) -> None:
    source = small(sequences=(SequenceState("s", "q", recorded, increment, cycles),))
    copy = small(sequences=(SequenceState("s", "q", found, increment, cycles),))

    assert judge(manifest_of(source), copy).verdict is verdict


def test_a_lost_sequence_refutes() -> None:
    source = small(sequences=(SequenceState("s", "q", None, 1, cycles=False),))

    [difference] = judge(manifest_of(source), small()).differences

    assert (difference.kind, difference.object, difference.found) == ("sequence", "s.q", None)


UNKNOWN = f"rowsum2:{7:032x}"
NOT_COMPARABLE: list[tuple[dict[str, Any], str]] = [
    ({"tables": ()}, "no table"),
    (
        {"tables": (TableRecord(schema_name="s", name="t", rows=3, fingerprint=UNKNOWN),)},
        "'rowsum2'",
    ),
    (
        {"tables": (TableRecord(schema_name="s", name="t", rows=3, fingerprint=""),)},
        "of the kind ''",
    ),
    (
        {
            "tables": (
                TableRecord(schema_name="s", name="t", rows=3, fingerprint=f"valuesum1:{7:032x}"),
                TableRecord(schema_name="s", name="t", rows=4, fingerprint=f"valuesum1:{7:032x}"),
            )
        },
        "more than once",
    ),
    (
        {
            "tables": (
                TableRecord(schema_name="s", name="t", rows=3, fingerprint=f"valuesum1:{7:016x}"),
                TableRecord(schema_name="s", name="u", rows=4, fingerprint=f"valuesum2:{7:016x}"),
            )
        },
        "of the kind 'valuesum1, valuesum2'",
    ),
    ({"inventory": {}}, "does not record: schemas"),
    (
        {"inventory": {name: [] for name in COMPARED if name != "indexes"}},
        "does not record: indexes",
    ),
]


@pytest.mark.parametrize(("changes", "reason"), NOT_COMPARABLE)
def test_what_cannot_be_compared_is_never_proved(changes: dict[str, Any], reason: str) -> None:
    judgement = judge(manifest_of(small(), **changes), small())

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.reason is not None
    assert reason in judgement.reason


def test_a_class_that_is_for_information_does_not_count() -> None:
    source = small(inventory={**NOTHING_ELSE, "about_extensions": ['{"version": "1"}']})
    copy = small(inventory={**NOTHING_ELSE, "about_extensions": ['{"version": "2"}']})

    assert judge(manifest_of(source), copy).verdict is Verdict.PROVED


def test_lines_of_another_version_say_nothing() -> None:
    copy = small()

    older = judge(manifest_of(copy, inventory_version=VERSION - 1), copy)
    newer = judge(manifest_of(copy, inventory_version=VERSION + 1), copy)

    assert judge(manifest_of(copy), copy).verdict is Verdict.PROVED
    assert older.verdict is newer.verdict is Verdict.INCONCLUSIVE
    assert "version" in str(older.reason)


def test_only_content_proves_but_anything_refutes() -> None:
    copy = small()
    counted = manifest_of(
        copy,
        compare="counts",
        tables=tuple(
            TableRecord(schema_name=one.schema, name=one.name, rows=one.rows) for one in copy.tables
        ),
    )
    wrong = counted.model_copy(
        update={
            "tables": tuple(
                t.model_copy(update={"rows": (t.rows or 0) + 1}) for t in counted.tables
            )
        }
    )

    assert judge(counted, copy).verdict is Verdict.INCONCLUSIVE
    assert "compare = 'counts'" in str(judge(counted, copy).reason)
    assert judge(wrong, copy).verdict is Verdict.REFUTED
