"""What a server did with a file: the facts, and how they are kept in ``measured.json``."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bounty_ops_tests.migrating.lint.measured.cases import HERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

STORED: Final = HERE / "measured.json"

#: From the weakest to the strongest, as PostgreSQL's documentation orders them.
MODES: Final = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)


@dataclass(frozen=True)
class Step:
    """One statement. Only relations that were there before the file are named."""

    #: Which transaction it ran in, counted from 1.
    transaction: int
    #: Lock modes that it took and its transaction had not taken before.
    locks: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    #: Relations of which it read, or changed, a thousand rows or more.
    worked: tuple[str, ...] = ()
    #: Relations of which it changed or deleted five thousand rows or more.
    changed: tuple[str, ...] = ()
    #: Tables, indexes and materialized views that have another file afterwards.
    rewritten: tuple[str, ...] = ()
    #: lock_timeout as it began, in milliseconds; 0 is none.
    lock_timeout: int = 0


@dataclass(frozen=True)
class Measurement:
    """One file on one major."""

    steps: tuple[Step, ...] = ()
    #: SQLSTATE of the statement that failed; it is the last one.
    error: str = ""
    #: The file ended inside a transaction.
    left_open: bool = False
    #: INVALID indexes that the file left or took for good.
    invalid: tuple[str, ...] = ()
    #: Tables and columns that are gone or empty, and had values.
    lost: tuple[str, ...] = ()
    #: Statements of the application that worked before, and fail or find less now.
    broken: tuple[str, ...] = ()
    #: Statements that were refused or found less before.
    opened: tuple[str, ...] = ()
    #: Tables that are published no more.
    unpublished: tuple[str, ...] = ()
    #: Kinds of the relations that are named, if not "table".
    kinds: Mapping[str, str] = dataclasses.field(default_factory=dict)


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in sorted(value.items())}
    return value


def as_json(measurement: Measurement) -> dict[str, Any]:
    """Without what is as it would be anyway."""
    result = {}
    for field in dataclasses.fields(measurement):
        value = getattr(measurement, field.name)
        if field.name == "steps":
            result["steps"] = [
                {
                    one.name: _plain(getattr(step, one.name))
                    for one in dataclasses.fields(step)
                    if getattr(step, one.name)
                }
                for step in measurement.steps
            ]
        elif value:
            result[field.name] = _plain(value)
    return result


def from_json(found: Mapping[str, Any]) -> Measurement:
    """The reverse of `as_json`."""
    steps = tuple(
        Step(
            transaction=step["transaction"],
            locks={name: tuple(modes) for name, modes in step.get("locks", {}).items()},
            worked=tuple(step.get("worked", ())),
            changed=tuple(step.get("changed", ())),
            rewritten=tuple(step.get("rewritten", ())),
            lock_timeout=step.get("lock_timeout", 0),
        )
        for step in found["steps"]
    )
    lists = ("invalid", "lost", "broken", "opened", "unpublished")
    return Measurement(
        steps=steps,
        error=found.get("error", ""),
        left_open=found.get("left_open", False),
        kinds=found.get("kinds", {}),
        **{name: tuple(found.get(name, ())) for name in lists},
    )


def load(path: Path = STORED) -> dict[str, dict[int, Measurement]]:
    """What was measured, by case and major."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {
        case: {
            int(major): from_json(found)
            for majors, found in of_case.items()
            for major in majors.split(",")
        }
        for case, of_case in stored.items()
    }


def save(measured: Mapping[str, Mapping[int, Measurement]], path: Path = STORED) -> None:
    """Write what was measured; majors that did the same share an entry."""
    lines = []
    for case, of_case in measured.items():
        groups: dict[str, list[int]] = {}
        for major, measurement in sorted(of_case.items()):
            text = json.dumps(as_json(measurement), ensure_ascii=False, sort_keys=True)
            groups.setdefault(text, []).append(major)
        entries = [f'  "{_joined(majors)}": {text}' for text, majors in groups.items()]
        lines.append(f'"{case}": {{\n' + ",\n".join(entries) + "\n}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _joined(majors: Iterable[int]) -> str:
    return ",".join(str(major) for major in majors)
