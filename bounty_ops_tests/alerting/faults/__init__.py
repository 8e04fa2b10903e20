"""Faults made on real servers, for the default rules: what breaks, what is told, what mends.

`ALL` is the table of them. Each is a generator in three parts, divided by two `yield`s: what is
there while all is well, what breaks it, what mends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops_tests.alerting.faults import (
    counters,
    dagsters,
    keeping,
    nights,
    releases,
    sessions,
    storage,
    watchers,
)
from bounty_ops_tests.alerting.faults.table import Fault

if TYPE_CHECKING:
    from bounty_ops.alerting import Rule

__all__ = ["ALL", "UNTRIED", "Fault"]

_EVERY: tuple[Fault, ...] = tuple(
    fault
    for module in (
        watchers, sessions, counters, storage, nights, keeping, releases, dagsters,
    )
    for fault in module.FAULTS
)  # fmt: skip

#: Stories that have been seen to end well. The others are written and did not (yet): they are no
#: evidence, so they are not in the table.
_SEEN: frozenset[str] = frozenset({
    "nobody_listens", "no_store", "no_operations_database", "a_crowd", "a_migration_in_the_way",
    "a_slower_function", "rows_upon_rows", "a_column_that_is_full", "a_refuted_backup",
    "a_small_backup", "a_copy_that_is_missing", "a_second_bucket_that_is_gone",
    "a_backup_without_its_lock", "a_copy_without_its_lock", "gates_overridden",
    "a_column_by_hand", "nobody_vacuums", "an_index_that_failed", "a_misspelt_rule",
    "ids_are_used", "an_import_in_the_way", "a_channel_that_refuses", "a_role_without_rights",
    "nobody_measures", "a_failed_migration", "a_database_left_behind",
    "a_night_without_a_backup", "a_night_without_a_proof", "too_many_would_go", "two_orders",
    "a_forgetful_session", "a_long_query", "a_slot_that_is_left",
    "a_sensor_that_fails", "a_sensor_that_stopped", "a_sequence_that_runs_out",
    "a_standby_that_waits", "a_slot_that_keeps_much",
})  # fmt: skip

ALL: tuple[Fault, ...] = tuple(one for one in _EVERY if one.story.__name__ in _SEEN)

#: Rules of which no story has been seen to go the whole way.
UNTRIED: frozenset[Rule] = frozenset(each.rule for each in _EVERY) - {each.rule for each in ALL}
