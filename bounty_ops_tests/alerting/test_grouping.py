"""People hear of the cause, and not of what follows from it; silences say whom they mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.alerting.grouping import HIDES, Open, causes
from bounty_ops.alerting.quiet import Quiet, kept_quiet
from bounty_ops.alerting.situation import Rule, Severity
from bounty_ops.environments import AlertSettings, Policy
from bounty_ops_tests.alerting.measures import NOW

DOWN = Open((Rule.SERVER_UNREACHABLE, "server"), Severity.CRITICAL)
BLOCKED = Open(
    (Rule.BLOCKING, "locks"), Severity.CRITICAL, frozenset({Rule.CONNECTIONS_NEAR_LIMIT})
)
FULL = Open((Rule.CONNECTIONS_NEAR_LIMIT, "connections"), Severity.CRITICAL)
NO_BACKUP = Open((Rule.BACKUP_OVERDUE, "backups"), Severity.CRITICAL)
NO_PROOF = Open((Rule.PROOF_OVERDUE, "backups"), Severity.CRITICAL)
REFUTED = Open((Rule.BACKUP_REFUTED, "backups"), Severity.CRITICAL)


def test_a_server_that_is_away_explains_all_that_needs_it() -> None:
    found = causes([FULL, DOWN, NO_BACKUP, BLOCKED])
    assert found == {each.key: DOWN.key for each in (FULL, NO_BACKUP, BLOCKED)}


def test_a_symptom_of_a_symptom_is_one_of_the_root() -> None:
    assert causes([NO_PROOF, NO_BACKUP, DOWN])[NO_PROOF.key] == DOWN.key


def test_what_has_nothing_to_do_with_it_is_told() -> None:
    assert causes([DOWN, REFUTED]) == {}


def test_a_finding_says_itself_what_follows_from_it() -> None:
    assert causes([BLOCKED, FULL]) == {FULL.key: BLOCKED.key}
    assert causes([Open(BLOCKED.key, Severity.CRITICAL), FULL]) == {}


def test_a_cause_that_is_milder_does_not_hide_what_is_graver() -> None:
    mild = Open(BLOCKED.key, Severity.WARNING, BLOCKED.hides)
    assert causes([mild, FULL]) == {}


_opens = st.lists(
    st.builds(
        Open,
        st.tuples(st.sampled_from(list(Rule)), st.sampled_from(["a", "b"])),
        st.sampled_from(list(Severity)),
        st.frozensets(st.sampled_from(list(Rule)), max_size=3),
    ),
    unique_by=lambda one: one.key,
    max_size=8,
)


@given(_opens)
def test_a_cause_is_open_and_never_a_symptom_itself(opens: list[Open]) -> None:
    found = causes(opens)
    keys = {one.key for one in opens}
    for symptom, cause in found.items():
        assert {symptom, cause} <= keys
        assert cause not in found
        assert cause != symptom


def test_no_rule_hides_itself_or_its_cause() -> None:
    for rule, hidden in HIDES.items():
        assert rule not in hidden
        for other in hidden:
            assert rule not in HIDES.get(other, frozenset())


def _silence(**values: str) -> Quiet:
    patterns = {"environment": "*", "rule": "*", "subject": "*", **values}
    hour = timedelta(hours=1)
    return Quiet(7, **patterns, reason="disk", created_by="ada", starts_at=NOW, ends_at=NOW + hour)


@pytest.mark.parametrize(
    ("silence", "minutes", "quiet"),
    [
        (_silence(), 0, True),
        (_silence(), 59, True),
        (_silence(), 60, False),
        (_silence(), -1, False),
        (_silence(environment="prod*"), 0, True),
        (_silence(environment="staging"), 0, False),
        (_silence(rule="table_growth", subject="public.*"), 0, True),
        (_silence(rule="table_growth", subject="audit.*"), 0, False),
        (_silence(rule="vacuum_lag"), 0, False),
    ],
)
def test_a_silence_keeps_quiet_what_it_names_while_it_lasts(
    silence: Quiet, minutes: int, quiet: bool
) -> None:
    why = kept_quiet(
        "production",
        "table_growth",
        "public.bounty",
        silences=[silence],
        settings=AlertSettings.of("production", Policy()),
        now=NOW + timedelta(minutes=minutes),
    )
    assert why == ("silence 7 of ada: disk" if quiet else None)


@pytest.mark.parametrize(
    ("moment", "window", "quiet"),
    [
        ("2026-11-22T03:00", {"cron": "0 3 * * sun", "lasts": "2h"}, True),
        ("2026-11-22T04:59", {"cron": "0 3 * * sun", "lasts": "2h"}, True),
        ("2026-11-22T05:00", {"cron": "0 3 * * sun", "lasts": "2h"}, False),
        ("2026-11-22T02:59", {"cron": "0 3 * * sun", "lasts": "2h"}, False),
        ("2026-11-23T03:30", {"cron": "0 3 * * sun", "lasts": "2h"}, False),
        ("2026-11-23T00:30", {"cron": "30 23 * * 7", "lasts": "2h"}, True),
        # Berlin is an hour ahead of UTC in winter, and two in summer.
        (
            "2026-11-22T02:30",
            {"cron": "0 3 * * *", "lasts": "1h", "timezone": "Europe/Berlin"},
            True,
        ),
        (
            "2026-07-22T02:30",
            {"cron": "0 3 * * *", "lasts": "1h", "timezone": "Europe/Berlin"},
            False,
        ),
        ("2026-11-22T10:00", {"start": "2026-11-22T09:00Z", "end": "2026-11-22T11:00Z"}, True),
        ("2026-11-22T11:00", {"start": "2026-11-22T09:00Z", "end": "2026-11-22T11:00Z"}, False),
    ],
)
def test_maintenance_keeps_quiet_at_its_times(
    moment: str, window: dict[str, str], quiet: bool
) -> None:
    settings = AlertSettings.of(
        "production", Policy(), {"maintenance": {"weekly": {**window, "reason": "vacuum"}}}
    )
    why = kept_quiet(
        "production",
        "long_query",
        "sessions",
        silences=[],
        settings=settings,
        now=datetime.fromisoformat(moment).replace(tzinfo=UTC),
    )
    assert why == ("maintenance weekly: vacuum" if quiet else None)
