"""A switch is fed by one thing only, and the doctor sees where that is not so."""

from __future__ import annotations

from pathlib import Path

from bounty_ops.doctor.result import State
from bounty_ops.doctor.switches import examine_switches
from bounty_ops.environments import Environment, Policy, Settings

URL = "https://switch.example/t0ken-that-nobody-may-see"


def _examined(*environments: Environment) -> dict[str, tuple[State, str]]:
    here = Path()
    settings = Settings(here, here, {each.name: each for each in environments}, "development")
    return {each.subject: (each.state, each.cause) for each in examine_switches(settings)}


def test_the_watchers_switch_must_not_be_that_of_the_proofs() -> None:
    both = Policy(ping="PING_URL", watch_ping="WATCH_URL")
    state, cause = _examined(
        Environment("production", None, both, ping_url=URL, watch_ping_url=URL)
    )["production"]
    assert state is State.WARNING
    assert cause == "WATCH_URL shares its URL with PING_URL: either keeps it quiet"


def test_a_watchers_switch_that_is_not_set_is_told() -> None:
    watched = Policy(watch_ping="WATCH_URL")
    found = _examined(
        Environment("production", None, watched),
        Environment("staging", None, watched, watch_ping_url=URL),
        Environment("development", None, Policy()),
    )
    assert found["production"][0] is State.WARNING
    assert "nobody notices a watcher that is gone" in found["production"][1]
    assert found["staging"] == (State.OK, "WATCH_URL is set")
    assert "development" not in found
    assert "t0ken" not in str(found)
