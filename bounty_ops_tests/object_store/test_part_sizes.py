"""How a stream of unknown length is cut into parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.object_store.part_sizes import (
    EQUAL,
    GIB,
    GROWING,
    LARGEST_PART,
    MIB,
    MOST_PARTS,
    SMALLEST_PART,
    TIB,
    PartSizes,
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


@pytest.mark.parametrize("sizes", [GROWING, EQUAL])
def test_capacity_is_what_all_parts_hold_together(sizes: PartSizes) -> None:
    assert sizes.capacity() == sum(sizes.of(number) for number in range(1, MOST_PARTS + 1))


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
    ("uploaded", "part_mib", "memory_mib"),
    [
        (1 * 1000**3, 8, 40),
        (8 * 1000**3, 8, 40),
        (20 * 1000**3, 54, 108),
        (100 * 1000**3, 150, 301),
        (1000**4, 494, 988),
        (5 * TIB - 1, 1162, 2323),
    ],
)
def test_memory_is_what_the_table_in_the_module_says(
    uploaded: int, part_mib: int, memory_mib: int
) -> None:
    part = GROWING.of(len(parts_of(uploaded, GROWING)))
    budget = MemoryBudget()
    parts_in_memory = 0
    while budget.has_room(part):
        budget.reserve(part)
        parts_in_memory += 1

    assert round(part / MIB) == part_mib
    assert round(parts_in_memory * part / MIB) == memory_mib


def test_the_largest_part_is_far_below_the_limit_of_s3() -> None:
    assert GROWING.of(MOST_PARTS) < 2 * GIB
