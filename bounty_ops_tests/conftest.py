"""Fixture plugins, the soak switch, and what holds for every test."""

from __future__ import annotations

import gc
import os
import signal

import hypothesis
import pytest

# A busy machine is slow; that is no finding.
hypothesis.settings.register_profile(
    "bounty-ops", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("bounty-ops")

pytest_plugins = [
    "bounty_ops_tests.fix_age",
    "bounty_ops_tests.fix_backups",
    "bounty_ops_tests.fix_browser",
    "bounty_ops_tests.fix_command_line",
    "bounty_ops_tests.fix_pages",
    "bounty_ops_tests.fix_promtool",
    "bounty_ops_tests.fix_proxy",
    "bounty_ops_tests.fix_scratch",
    "bounty_ops_tests.fix_servers",
    "bounty_ops_tests.fix_tls",
]

#: What a developer has set must not decide what a test does.
_FOREIGN = ("DATABASE_URL", "OPS_DATABASE_URL", "BACKUP_BUCKET", "BOUNTY_ENV", "BOUNTY_OPS_HOME")
_FOREIGN_PREFIXES = ("PG", "AWS_", "BACKUP_", "DAGSTER_")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long tests too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--soak"):
        soak = {each for each in items if each.get_closest_marker("soak")}
        soak |= _left_to_the_soak(items)
        if soak:
            config.hook.pytest_deselected(items=list(soak))
            items[:] = [item for item in items if item not in soak]
    _let_long_ones_begin(config, items)


def _let_long_ones_begin(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put those marked `long` where each of the workers begins: one that is last is waited for."""
    workers: int = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if not item.get_closest_marker("long")]
    share = -(-len(others) // workers)
    items[:] = [
        item
        for worker in range(workers)
        for item in (*long[worker::workers], *others[worker * share : (worker + 1) * share])
    ]


def _left_to_the_soak(items: list[pytest.Item]) -> set[pytest.Item]:
    """Of tests with many cases all but every so manieth, in the order of their names."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("many"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left = set()
    for several in cases.values():
        marker = several[0].get_closest_marker("many")
        assert marker is not None
        every: int = marker.kwargs["every"]
        ordered = sorted(several, key=lambda item: item.nodeid)
        left |= {item for place, item in enumerate(ordered) if place % every}
    return left


def pytest_collection_finish() -> None:
    # What was imported stays; going through all of it again and again took a twentieth of the time.
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_interrupts() -> None:
    # A suite that is started with `&` from a script inherits SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _foreign_variables_left_out() -> None:
    for name in list(os.environ):
        if name in _FOREIGN or name.startswith(_FOREIGN_PREFIXES):
            del os.environ[name]
