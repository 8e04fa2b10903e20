"""Settings that are not what they were when somebody looked before."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.collectors.settings import ServerSettings
from bounty_ops.monitoring.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from bounty_ops.monitoring.collectors.settings import Setting
    from bounty_ops.monitoring.result import CollectionResult

_SHOWN: Final = 10
_BUILT_IN: Final = "the built-in value"
_Look = tuple["datetime", ServerSettings, bool]


def changed_settings(
    result: CollectionResult, history: Sequence[CollectionResult]
) -> Iterator[Finding]:
    """One finding with every change between any two of these collections, the newest first.

    A setting that was changed and changed back in between is not seen, and of one whose value could
    hold a secret only that it changed.
    """
    looks = sorted(_looks([*history, result]), key=lambda look: look[0])
    changes = [line for one, next_ in reversed(list(pairwise(looks))) for line in _told(one, next_)]
    if not changes:
        return
    more = f"; and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    yield Finding(
        kind="settings_changed",
        severity=Severity.INFO,
        subject="settings",
        title=f"{_count(len(changes))} since {_day(looks[0][0])}",
        evidence="; ".join(changes[:_SHOWN]) + more,
        remedy="If nobody meant it, set it back where it was set (pg_settings.source, "
        "pg_db_role_setting); otherwise look whether what got worse since began then",
        weight=len(changes),
    )


def _looks(collections: Sequence[CollectionResult]) -> Iterator[_Look]:
    """When it was, what was seen, and whether some settings were hidden."""
    for one in collections:
        found = one.family(ServerSettings)
        if found is not None:
            hidden = any(each.family == ServerSettings.family for each in one.unknown)
            yield one.taken_at, found, hidden


def _told(one: _Look, next_: _Look) -> Iterator[str]:
    """What is different in the later one."""
    (since, before, hid), (until, after, hides) = one, next_
    when = f"between {_moment(since)} and {_moment(until)}"
    if before.server_version != after.server_version:
        yield f"server_version: {before.server_version} -> {after.server_version}, {when}"
    old = {each.subject: each for each in before.settings}
    new = {each.subject: each for each in after.settings}
    # What only one of the two could see would look like a change.
    subjects = old.keys() & new.keys() if hid != hides else old.keys() | new.keys()
    for subject in sorted(subjects):
        was, now = old.get(subject), new.get(subject)
        if (was and was.value_hash) != (now and now.value_hash):
            yield f"{subject}: {_value(was)} -> {_value(now)}, {when}"


def _value(setting: Setting | None) -> str:
    if setting is None:
        return _BUILT_IN
    if setting.value is None:
        return "a value that is not shown"
    return f"{setting.value} {setting.unit or ''}".strip() or "''"


def _count(changes: int) -> str:
    return "1 setting changed" if changes == 1 else f"{changes} settings changed"


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _day(when: datetime) -> str:
    return f"{when:%Y-%m-%d}"
