"""Bytes of packs and rollups: whatever goes in comes out."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring.history import packs, rollups
from bounty_ops.monitoring.history.documents import arranged, order_of
from bounty_ops.monitoring.history.flatten import INTEGER, REAL, TIME, flatten, layout_of, restore
from bounty_ops.monitoring.history.packs import State
from bounty_ops.monitoring.history.rollups import Range

_TEXTS = st.text(max_size=8) | st.sampled_from(
    ["2026-11-23T08:00:00Z", "2026-11-23T08:00:00.000000Z", "2026-11-23T08:00:00.123456Z",
     "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "i", "s"]
)  # fmt: skip
_INTEGERS = st.integers(-(2**70), 2**70)
_REALS = st.floats(allow_nan=False)
_LEAVES = st.none() | st.booleans() | _INTEGERS | _REALS | _TEXTS
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)
_MEASURES = st.dictionaries(st.text(max_size=5), _JSON, max_size=8)
_KINDS = st.lists(st.sampled_from([INTEGER, REAL, TIME]), max_size=20)


def _alike(one: Any, other: Any) -> bool:  # noqa: ANN401 - JSON
    """Equal, including the types of numbers and the sign of zero."""
    return json.dumps(one) == json.dumps(other)


@given(_MEASURES)
def test_measures_that_are_taken_apart_go_together_again(measures: dict[str, Any]) -> None:
    flat = flatten(measures)
    assert _alike(restore(layout_of(flat.layout), flat.texts, flat.numbers), measures)
    assert len(layout_of(flat.layout).kinds) == len(flat.numbers)


def test_what_changes_often_is_a_number_and_what_does_not_is_none() -> None:
    before = {"name": "t", "size": 5, "ratio": 0.5, "columns": ["a", None], "at": None}
    after = {**before, "size": 7, "ratio": 0.25}
    assert flatten(before)[:2] == flatten(after)[:2]
    assert flatten(after).numbers == (7, 0.25)
    with_time = flatten({**after, "at": "2026-11-23T08:00:00.000001Z"})
    assert with_time.texts == flatten(after).texts
    assert layout_of(with_time.layout).paths == ("size", "ratio", "at")


def _numbers(kinds: list[str]) -> st.SearchStrategy[tuple[float, ...]]:
    return st.tuples(*(_REALS if kind == REAL else _INTEGERS for kind in kinds))


@given(st.data())
def test_entries_are_read_as_they_were_written(data: st.DataObject) -> None:
    kinds = data.draw(_KINDS)
    key = State(3, 500, data.draw(_numbers(kinds)))
    state = State(3, 500, data.draw(_numbers(kinds)))
    written = packs.whole(state, kinds)
    assert packs.is_whole(written)
    assert packs.texts_of(written) == (3, 500)
    assert _alike(packs.read_whole(written, kinds), state)
    difference = packs.changed(state, key, kinds)
    assert not packs.is_whole(difference)
    assert _alike(packs.read_changed(difference, key, kinds), state)


@given(st.dictionaries(st.integers(0, packs.PAGE_SLOTS - 1), st.binary(min_size=1, max_size=600)))
def test_a_pack_gives_back_its_entries_all_or_one(entries: dict[int, bytes]) -> None:
    packed = packs.pack(entries)
    assert packs.unpack(packed) == entries
    for slot in range(packs.PAGE_SLOTS):
        assert packs.entry_of(packed, slot) == entries.get(slot)


def test_the_sign_of_zero_is_a_change() -> None:
    assert packs.same(1.5, 1.5)
    assert not packs.same(0.0, -0.0)
    assert packs.same(math.nan, math.nan)


@given(st.data(), st.sampled_from([24, 288]))
def test_a_rollup_gives_back_the_steps_of_each_measure(data: st.DataObject, steps: int) -> None:
    present = sorted(data.draw(st.sets(st.integers(0, steps - 1))))
    measures = []
    for kind in data.draw(st.lists(st.sampled_from([INTEGER, REAL]), max_size=5)):
        number = _REALS if kind == REAL else _INTEGERS
        step = st.none() | st.builds(Range, number, number, number)
        constant = data.draw(st.none() | step)
        some = [constant or data.draw(step) for _ in present]
        measures.append((kind, some))
    body = rollups.write_rollup(steps, 77, present, measures, complete=True)
    assert rollups.names_of(body) == 77
    rollup = rollups.read_rollup(body, steps, {77: len(measures)})
    assert rollup.present == tuple(present)
    for position, (kind, some) in enumerate(measures):
        assert _alike(rollup.measure(position, kind), some)


_ENTRIES = st.dictionaries(
    st.text(max_size=3),
    st.fixed_dictionaries({"size": st.integers(0, 5), "text": st.text(max_size=2)}),
    max_size=6,
)


@given(_ENTRIES, st.randoms())
def test_any_order_of_entries_can_be_repeated(entries: dict[str, Any], random: Any) -> None:  # noqa: ANN401 - hypothesis has a type of its own
    shuffled = list(entries.items())
    random.shuffle(shuffled)
    order = json.loads(json.dumps(order_of(shuffled)))
    assert arranged(entries, order) == shuffled


def test_usual_orders_need_no_list_of_ranks() -> None:
    by_size = [
        ("b", {"size": 9, "scans": 1}),
        ("a", {"size": 5, "scans": 7}),
        ("c", {"size": 5, "scans": 7}),
    ]
    assert order_of(by_size) == "-size"
    assert order_of(by_size[::2]) == "name"
    assert order_of([by_size[1], by_size[2], by_size[0]]) == "+size"
    assert order_of([by_size[2], by_size[1]]) == [1, 0]
