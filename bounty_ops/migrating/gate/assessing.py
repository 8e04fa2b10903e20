"""What is known of each pending revision before it runs: findings, tables, lock and duration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pglast import ast, parse_sql
from pglast.parser import ParseError

from bounty_ops.errors import BountyOpsError
from bounty_ops.migrating.gate.resting import unlike
from bounty_ops.migrating.lint.tree import below, dotted, relation_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bounty_ops.journal.evidence import Rehearsal, RehearsedStatement
    from bounty_ops.migrating.gate.values import GateFacts
    from bounty_ops.migrating.lint.finding import Finding
    from bounty_ops.migrating.live import LiveTable

#: The modes of a lock on a table, weakest first, in the words of PostgreSQL's manual.
LOCK_MODES: Final = (
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
class Prediction:
    """What a revision will probably do to those who work with the database."""

    lock: str | None
    """The strongest lock on a table; None: none is known."""
    seconds: float | None
    """How long it will take; None: nobody can say."""
    longest_read_seconds: float | None
    """How long a SELECT had to wait in the rehearsal."""
    longest_write_seconds: float | None
    source: Literal["rehearsal", "lint", "unknown"]


@dataclass(frozen=True)
class Assessment:
    """What is known of one pending revision."""

    revision: str
    findings: tuple[Finding, ...]
    tables: tuple[LiveTable, ...]
    """The live tables that its SQL names, or that a rehearsal saw it lock, largest first."""
    prediction: Prediction


def assess(facts: GateFacts) -> tuple[Assessment, ...]:
    """Say what is known of each pending revision, in their order."""
    certificate = _certificate(facts)
    findings = {} if isinstance(facts.findings, BountyOpsError) else facts.findings
    return tuple(
        Assessment(
            revision=step.revision,
            findings=findings.get(step.revision, ()),
            tables=_tables(step.sql, _rehearsed(certificate, step.revision), facts.live.tables),
            prediction=_prediction(
                _rehearsed(certificate, step.revision), findings.get(step.revision, ())
            ),
        )
        for step in facts.plan.pending
    )


def predicted_seconds(assessments: Iterable[Assessment]) -> float | None:
    """Return how long all of them will take together; None when one of them is unknown."""
    each = [one.prediction.seconds for one in assessments]
    known = [seconds for seconds in each if seconds is not None]
    return sum(known) if known and len(known) == len(each) else None


def _certificate(facts: GateFacts) -> Rehearsal | None:
    """The newest rehearsal of this plan that passed; whether it may still be relied on or not."""
    if isinstance(facts.records, BountyOpsError):
        return None
    fitting = [one for one in facts.records.rehearsals if unlike(one, facts) is None]
    newest = max(fitting, key=lambda one: (one.finished_at, one.id), default=None)
    return newest if newest is not None and newest.outcome == "passed" else None


def _rehearsed(certificate: Rehearsal | None, revision: str) -> list[RehearsedStatement]:
    if certificate is None:
        return []
    return [one for one in certificate.statements if one.revision == revision]


def _prediction(rehearsed: list[RehearsedStatement], findings: tuple[Finding, ...]) -> Prediction:
    if rehearsed:
        seconds = [one.predicted_seconds for one in rehearsed]
        known = [one for one in seconds if one is not None]
        return Prediction(
            lock=_strongest(lock.mode for one in rehearsed for lock in one.locks),
            seconds=sum(known) if len(known) == len(seconds) else None,
            longest_read_seconds=max(one.longest_read_seconds for one in rehearsed),
            longest_write_seconds=max(one.longest_write_seconds for one in rehearsed),
            source="rehearsal",
        )
    lock = _strongest(one.lock for one in findings if one.lock is not None)
    return Prediction(lock, None, None, None, "unknown" if lock is None else "lint")


def _strongest(modes: Iterable[str]) -> str | None:
    known = [mode for mode in map(_in_words, modes) if mode in LOCK_MODES]
    return max(known, key=LOCK_MODES.index, default=None)


def _in_words(mode: str) -> str:
    """``ACCESS EXCLUSIVE`` of pg_locks' own ``AccessExclusiveLock``."""
    if " " in mode or mode.isupper():
        return mode.upper()
    name = mode.removesuffix("Lock")
    return "".join(f" {letter}" if letter.isupper() else letter for letter in name).strip().upper()


def _tables(
    sql: str, rehearsed: list[RehearsedStatement], tables: tuple[LiveTable, ...]
) -> tuple[LiveTable, ...]:
    named = {*_named(sql), *(lock.relation for one in rehearsed for lock in one.locks)}
    found = [one for one in tables if named & _names(one)]
    return tuple(sorted(found, key=lambda one: (-one.size_bytes, one.label)))


def _names(table: LiveTable) -> set[str]:
    """What a statement, or a lock, may call a table or one of its indexes."""
    names = {table.name, *table.indexes}
    bare = names if table.schema == "public" else set[str]()
    return {
        *bare,
        *(f"{table.schema}.{name}" for name in names),
        *(f'{table.schema}."{name}"' for name in names),
    }


def _named(sql: str) -> Iterator[str]:
    """The relations that a text names; what cannot be read names none, which the linter tells."""
    try:
        statements = parse_sql(sql)
    except ParseError:
        return
    for statement in statements:
        for relation in below(statement, ast.RangeVar):
            yield relation_name(relation)
        for drop in below(statement, ast.DropStmt):
            for name in drop.objects or ():
                if isinstance(name, tuple | list):
                    yield dotted(name)
