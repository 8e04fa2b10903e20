"""Samples are taken by a sensor: each family at its pace, and no run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from sqlalchemy import create_engine

from bounty_ops.defs.measuring import read_cursor, write_cursor
from bounty_ops.monitoring import latest_collections
from bounty_ops.monitoring.collectors import FAMILIES

if TYPE_CHECKING:
    from bounty_ops_tests.defs.conftest import Deployment


def tick(deployment: Deployment, cursor: str | None = None) -> tuple[str, str | None]:
    sensor = deployment.definitions().resolve_sensor_def("development_measure")
    with dg.build_sensor_context(instance=deployment.instance, cursor=cursor) as context:
        found = sensor.evaluate_tick(context)
    assert not found.run_requests
    return found.skip_message or "", found.cursor


def test_each_family_is_measured_at_its_pace_and_kept(development: Deployment) -> None:
    said, cursor = tick(development)
    assert all(name in said for name in FAMILIES)
    again, after = tick(development, cursor)
    assert (again, after) == ("nothing is due", cursor)

    minute = timedelta(minutes=1)
    earlier = {name: at - minute for name, at in read_cursor(cursor).items()}
    said, _ = tick(development, write_cursor(earlier))
    assert "connections" in said
    assert "tables" not in said

    engine = create_engine(development.settings().require_ops_url().sqlalchemy())
    newest, first = latest_collections(engine, "development", 2)
    engine.dispose()
    assert set(first.families) == set(FAMILIES)
    assert "tables" not in newest.families


def test_a_database_that_is_gone_is_said_and_asked_again_at_its_pace(
    development: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://x:planted@127.0.0.1:1/x")
    said, cursor = tick(development)
    assert said.startswith("not measured: ")
    assert "planted" not in said
    assert read_cursor(cursor).keys() == {"vitals", "deltas", "tables"}


@pytest.mark.parametrize("text", [None, "", "x", "[]", "3", '{"vitals": 3}', '{"vitals": "2026"}'])
def test_a_cursor_that_cannot_be_read_is_none(text: str | None) -> None:
    assert read_cursor(text) == {}


def test_a_cursor_comes_back_as_it_was() -> None:
    moments = {"vitals": datetime(2026, 11, 23, 8, tzinfo=UTC)}
    assert read_cursor(write_cursor(moments)) == moments
