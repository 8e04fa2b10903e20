"""What changed in the settings between collections is named, with both values and the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bounty_ops.monitoring import (
    CollectionResult,
    ServerSettings,
    collect,
    report,
    store_collection,
)
from bounty_ops.monitoring.advice.past import earlier_collections
from bounty_ops.monitoring.findings import Finding, Severity
from bounty_ops.monitoring.result import Unknown
from bounty_ops.postgres.connect import engine
from bounty_ops_tests.monitoring.conftest import environment_of, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounty_ops.environments import DatabaseUrl


def _look(url: DatabaseUrl, days_ago: float = 0) -> CollectionResult:
    result = collect(environment_of(url), families=["settings"])
    return replace(result, taken_at=result.taken_at - timedelta(days=days_ago))


def _changed(result: CollectionResult, history: Sequence[CollectionResult]) -> list[Finding]:
    return [one for one in report(result, history=history) if one.kind == "settings_changed"]


def test_changes_between_stored_collections_are_told_with_their_time(
    make_database: Callable[..., DatabaseUrl],
) -> None:
    url, operations = make_database(), make_database(line="ops")
    ops = engine(operations, application_name="tests")
    name = url.database
    execute(url, f"ALTER DATABASE {name} SET work_mem TO '8MB'")
    execute(url, f"ALTER DATABASE {name} SET app.api_key TO 'one-secret'")
    long_ago = _look(url, days_ago=8)
    execute(url, f"ALTER DATABASE {name} SET work_mem TO '64MB'")
    just_before = _look(url, days_ago=0.01)
    execute(url, f"ALTER DATABASE {name} SET app.api_key TO 'other-secret'")
    execute(url, f"ALTER DATABASE {name} SET random_page_cost TO 1.1")
    now = _look(url)
    for one in (long_ago, just_before, now):
        store_collection(ops, one)

    (told,) = _changed(now, earlier_collections(ops, "development", now.taken_at))

    assert (told.severity, told.title) == (
        Severity.INFO, f"3 settings changed since {long_ago.taken_at:%Y-%m-%d}",
    )  # fmt: skip
    newest, next_, oldest = told.evidence.split("; ")
    scope = f"database {name}"
    at = [f"{one.taken_at:%Y-%m-%d %H:%M} UTC" for one in (long_ago, just_before, now)]
    assert newest == (
        f"{scope}: app.api_key: a value that is not shown -> a value that is not shown, "
        f"between {at[1]} and {at[2]}"
    )
    assert next_.startswith(f"{scope}: random_page_cost: the built-in value -> 1.1, ")
    assert oldest.startswith(f"{scope}: work_mem: 8MB -> 64MB")
    assert oldest.endswith(f"between {at[0]} and {at[1]}")
    assert "secret" not in told.evidence


def test_nothing_is_told_where_nothing_changed_or_nothing_is_known(
    fresh_database: DatabaseUrl,
) -> None:
    now, before = _look(fresh_database), _look(fresh_database, days_ago=1)
    assert _changed(now, [before]) == []
    assert _changed(now, []) == []
    assert _changed(replace(now, families={}), [before]) == []


def test_what_one_of_them_was_not_shown_is_no_change(fresh_database: DatabaseUrl) -> None:
    now, before = _look(fresh_database), _look(fresh_database, days_ago=1)
    seen = before.family(ServerSettings)
    assert seen is not None
    blind = seen.model_copy(update={"settings": seen.settings[1:], "server_version": "17.0"})
    hidden = (Unknown("settings", "settings that only superusers see", "", ""),)
    half = replace(before, families={"settings": blind}, unknown=hidden)

    (told,) = _changed(now, [half])

    assert told.title.startswith("1 setting changed since ")
    assert told.evidence.startswith(f"server_version: 17.0 -> {seen.server_version}, ")
    (both,) = _changed(now, [replace(half, unknown=())])
    assert both.title.startswith("2 settings changed")
