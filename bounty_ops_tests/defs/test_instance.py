"""The project's dagster.yaml, loaded by Dagster on a real PostgreSQL."""

from __future__ import annotations

import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster_postgres import PostgresEventLogStorage


def test_the_storage_is_postgresql_and_keeps_an_event(instance: dg.DagsterInstance) -> None:
    # Fails on the first event when SQLAlchemy takes the URL for psycopg 3 (see dagster.yaml).
    assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
    key = dg.AssetKey(["storage", "probe"])
    instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata={"answer": 42}))
    event = instance.get_latest_materialization_event(key)
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["answer"].value == 42


def test_a_click_does_not_wait_five_seconds_for_its_run(instance: dg.DagsterInstance) -> None:
    coordinator = instance.run_coordinator
    assert isinstance(coordinator, QueuedRunCoordinator)
    assert coordinator.dequeue_interval_seconds == 1


def test_one_operation_at_a_time_works_on_a_database(instance: dg.DagsterInstance) -> None:
    config = instance.get_concurrency_config()
    assert config.pool_config.default_pool_limit == 1
    assert config.run_queue_config is not None
    assert config.run_queue_config.max_concurrent_runs == 5


def test_a_run_whose_process_was_killed_is_found_and_frees_its_pool(
    instance: dg.DagsterInstance,
) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_settings["free_slots_after_run_end_seconds"] == 60


def test_nothing_is_told_to_anybody_and_no_dialogue_is_in_the_way(
    instance: dg.DagsterInstance,
) -> None:
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled
