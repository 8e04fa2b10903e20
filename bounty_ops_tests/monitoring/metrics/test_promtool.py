"""Each rule fires when it should and is quiet when all is well, as Prometheus itself judges.

Left out where there is no promtool (Debian has it in its package `prometheus`); the run says so.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bounty_ops.monitoring.metrics.rules import RULES

RULES_FILE = Path(__file__).parents[3] / "examples/prometheus/rules.yml"
HERE = 'environment="production"'
#: From here on a look every ten minutes is enough.
_LONG = 200
#: All is well, a value a minute; `x` repeats, and `+` counts up.
WELL = {
    f'bounty_ops_collection_age_seconds{{{HERE},family="connections"}}': "30x{n}",
    f'bounty_ops_unknown{{{HERE},family="tables"}}': "0x{n}",
    f"bounty_ops_connections_used{{{HERE}}}": "70x{n}",
    f"bounty_ops_connections_limit{{{HERE}}}": "100x{n}",
    f"bounty_ops_longest_wait_seconds{{{HERE}}}": "2x{n}",
    f"bounty_ops_longest_idle_in_transaction_seconds{{{HERE}}}": "20x{n}",
    f"bounty_ops_longest_transaction_seconds{{{HERE}}}": "900x{n}",
    f"bounty_ops_xid_age{{{HERE}}}": "200000000x{n}",
    f"bounty_ops_xid_limit{{{HERE}}}": "2146483648x{n}",
    f"bounty_ops_fullest_sequence_ratio{{{HERE}}}": "0.7x{n}",
    f"bounty_ops_slots_retained_bytes{{{HERE}}}": "1000000x{n}",
    f"bounty_ops_standby_lag_bytes{{{HERE}}}": "1000x{n}",
    f"bounty_ops_deadlocks_total{{{HERE}}}": "0+0.1x{n}",
    f"bounty_ops_invalid_indexes{{{HERE}}}": "0x{n}",
    f"bounty_ops_backup_age_seconds{{{HERE}}}": "3600x{n}",
    f"bounty_ops_proved_backup_age_seconds{{{HERE}}}": "3600x{n}",
}
#: What goes wrong, and since when it must be told (minutes); None: the series is not there.
WRONG: dict[str, tuple[dict[str, str | None], int]] = {
    "BountyOpsGone": ({"bounty_ops_collection_age_seconds": None}, 6),
    "DatabaseNotMeasured": ({"bounty_ops_collection_age_seconds": "200+60x{n}"}, 4),
    "SomethingUnknown": ({"bounty_ops_unknown": "1x{n}"}, 1445),
    "ConnectionsNearLimit": ({"bounty_ops_connections_used": "80x{n}"}, 7),
    "ConnectionsExhausted": ({"bounty_ops_connections_used": "95x{n}"}, 4),
    "SessionsBlocked": ({"bounty_ops_longest_wait_seconds": "0+60x{n}"}, 4),
    "IdleInTransaction": ({"bounty_ops_longest_idle_in_transaction_seconds": "0+60x{n}"}, 8),
    "LongTransaction": ({"bounty_ops_longest_transaction_seconds": "0+60x{n}"}, 33),
    "TransactionIdsRunOut": ({"bounty_ops_xid_age": "900000000x{n}"}, 12),
    "TransactionIdsAlmostGone": ({"bounty_ops_xid_age": "1900000000x{n}"}, 3),
    "SequenceRunsOut": ({"bounty_ops_fullest_sequence_ratio": "0.8x{n}"}, 12),
    "SequenceAlmostGone": ({"bounty_ops_fullest_sequence_ratio": "0.95x{n}"}, 3),
    "SlotKeepsWal": ({"bounty_ops_slots_retained_bytes": "20000000000x{n}"}, 7),
    "StandbyLags": ({"bounty_ops_standby_lag_bytes": "2000000000x{n}"}, 7),
    "Deadlocks": ({"bounty_ops_deadlocks_total": "0+1x{n}"}, 15),
    "IndexInvalid": ({"bounty_ops_invalid_indexes": "1x{n}"}, 62),
    "BackupOverdue": ({"bounty_ops_backup_age_seconds": "90000+60x{n}"}, 80),
    "NeverBackedUp": ({"bounty_ops_backup_age_seconds": None}, 1565),
    "ProofOverdue": ({"bounty_ops_proved_backup_age_seconds": "90000+60x{n}"}, 80),
    "NeverProved": ({"bounty_ops_proved_backup_age_seconds": None}, 1565),
}


def _series(wrong: dict[str, str | None], minutes: int) -> list[dict[str, str]]:
    return [
        {"series": name, "values": values.format(n=minutes)}
        for name, well in WELL.items()
        if (values := wrong.get(name.partition("{")[0], well)) is not None
    ]


def _firing(tmp_path: Path, wrong: dict[str, str | None], minutes: int) -> set[str]:
    """The names of the rules that fire, by what promtool says they should not have."""
    document = {
        "rule_files": [str(RULES_FILE)],
        "evaluation_interval": "1m" if minutes < _LONG else "10m",
        "tests": [
            {
                "interval": "1m",
                "input_series": _series(wrong, minutes),
                "alert_rule_test": [
                    {"eval_time": f"{minutes}m", "alertname": rule.alert, "exp_alerts": []}
                    for rule in RULES
                ],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(json.dumps(document))
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    firing = {rule.alert for rule in RULES if f"alertname: {rule.alert}," in said}
    assert (done.returncode == 0) == (not firing), said
    return firing


def test_every_rule_is_tried() -> None:
    assert WRONG.keys() == {rule.alert for rule in RULES}


@pytest.mark.parametrize("minutes", [5, 60, 1565])
def test_all_is_quiet_when_all_is_well(tmp_path: Path, minutes: int) -> None:
    assert _firing(tmp_path, {}, minutes) == set()


@pytest.mark.parametrize("alert", list(WRONG))
def test_a_rule_fires_for_its_own_reason(tmp_path: Path, alert: str) -> None:
    wrong, minutes = WRONG[alert]
    graver = {
        "ConnectionsExhausted": {"ConnectionsNearLimit"},
        "TransactionIdsAlmostGone": {"TransactionIdsRunOut"},
        "SequenceAlmostGone": {"SequenceRunsOut"},
    }.get(alert, set())
    firing = _firing(tmp_path, wrong, minutes)
    assert alert in firing
    assert firing - graver == {alert}
