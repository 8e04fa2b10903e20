"""How a stream of unknown length is cut into parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.environments.object_storage import FEWEST_PARTS, MOST_PARTS
from bounty_ops.object_store.part_sizes import (
    EQUAL,
    GIB,
    GROWING,
    KIB,
    LARGEST_OBJECT,
    LARGEST_PART,
    MIB,
    SMALLEST_PART,
    TIB,
    PartSizes,
    growing_parts,
    part_sizes_for,
)
from bounty_ops.object_store.pipeline import MemoryBudget


def parts_of(total: int, sizes: PartSizes) -> list[int]:
    parts: list[int] = []
    while total > 0:
        parts.append(min(total, sizes.of(len(parts) + 1)))
        total -= parts[-1]
    return parts


@given(st.integers(min_value=1, max_value=5 * TIB))
def test_any_stream_up_to_5_tib_fits_into_the_parts_that_s3_accepts(total: int) -> None:
    parts = parts_of(total, GROWING)

    assert len(parts) <= MOST_PARTS
    assert sum(parts) == total
    assert all(SMALLEST_PART <= part <= LARGEST_PART for part in parts[:-1])
    assert parts[-1] <= LARGEST_PART


@pytest.mark.parametrize("sizes", [GROWING, EQUAL, growing_parts(1000), PartSizes(5 * MIB, most=2)])
def test_capacity_is_what_all_parts_hold_together(sizes: PartSizes) -> None:
    assert sizes.capacity() == sum(sizes.of(number) for number in range(1, sizes.most + 1))


@given(st.integers(min_value=FEWEST_PARTS, max_value=MOST_PARTS))
def test_few_parts_reach_5_tib_or_grow_to_the_largest_part_there_is(most: int) -> None:
    sizes = growing_parts(most)
    last = sizes.of(most)

    assert SMALLEST_PART <= sizes.of(1) <= last <= LARGEST_PART
    reaches_the_largest_object = sizes.capacity() >= LARGEST_OBJECT
    ends_with_the_largest_part = LARGEST_PART - last < 4 * KIB * most
    assert reaches_the_largest_object or ends_with_the_largest_part
    # Straight growth gives up at most a little more than half of what equal parts would hold.
    assert sizes.capacity() >= min(LARGEST_OBJECT, 0.43 * most * LARGEST_PART)


@given(st.integers(FEWEST_PARTS, MOST_PARTS), st.floats(min_value=0, max_value=1))
def test_whatever_fits_is_cut_into_no_more_parts_than_allowed(most: int, share: float) -> None:
    sizes = growing_parts(most)
    total = max(1, int(sizes.capacity() * share))

    parts = parts_of(total, sizes)

    assert len(parts) <= most
    assert sum(parts) == total


def test_the_setting_decides_how_many_parts_there_are() -> None:
    assert part_sizes_for("https://s3.example.com", 1000).most == 1000
    assert part_sizes_for("https://x.r2.cloudflarestorage.com", 1000).most == 1000


def test_the_largest_object_of_s3_fits() -> None:
    assert GROWING.capacity() >= 5 * TIB


@given(st.integers(min_value=1, max_value=MOST_PARTS - 1))
def test_parts_never_shrink(number: int) -> None:
    assert GROWING.of(number) <= GROWING.of(number + 1)


@given(st.integers(min_value=2, max_value=MOST_PARTS))
def test_r2_gets_parts_of_one_size(number: int) -> None:
    sizes = part_sizes_for("https://0123456789abcdef.r2.cloudflarestorage.com")

    assert sizes.of(number) == sizes.of(1)


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:8333", "https://s3.example.com"])
def test_other_stores_get_parts_that_reach_5_tib(endpoint: str | None) -> None:
    assert part_sizes_for(endpoint).capacity() >= 5 * TIB


@pytest.mark.parametrize(
    ("most", "uploaded", "part_mib", "memory_mib"),
    [
        (10_000, 1 * 1000**3, 8, 40),
        (10_000, 8 * 1000**3, 8, 40),
        (10_000, 20 * 1000**3, 54, 108),
        (10_000, 100 * 1000**3, 150, 301),
        (10_000, 1000**4, 494, 988),
        (10_000, 5 * TIB - 1, 1162, 2323),
        (1_000, 800 * 1000**2, 8, 40),
        (1_000, 1 * 1000**3, 42, 84),
        (1_000, 10 * 1000**3, 315, 629),
        (1_000, 100 * 1000**3, 1036, 2072),
        (1_000, 1000**4, 3291, 6582),
        (1_000, 22 * TIB // 10, 5120, 10239),
    ],
)
def test_memory_is_what_the_tables_in_the_module_say(
    most: int, uploaded: int, part_mib: int, memory_mib: int
) -> None:
    sizes = growing_parts(most)
    part = sizes.of(len(parts_of(uploaded, sizes)))
    budget = MemoryBudget()
    parts_in_memory = 0
    while budget.has_room(part):
        budget.reserve(part)
        parts_in_memory += 1

    assert round(part / MIB) == part_mib
    assert round(parts_in_memory * part / MIB) == memory_mib


def test_the_largest_part_is_far_below_the_limit_of_s3() -> None:
    assert GROWING.of(MOST_PARTS) < 2 * GIB
