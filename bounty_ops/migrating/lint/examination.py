"""One run of the linter: what is known so far, what is held, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.lint.finding import Finding
from bounty_ops.migrating.lint.rule import BLOCKS, message
from bounty_ops.migrating.lint.rulebook import RULES
from bounty_ops.migrating.lint.session import Held, Session, seconds

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.finding import Level
    from bounty_ops.migrating.lint.schema import Catalogue
    from bounty_ops.migrating.lint.script import Statement
    from bounty_ops.migrating.lint.tree import Node

_TINY_BYTES: Final = 128 * 1024
"""A table of so few pages is read or written anew in less than a millisecond or two."""

_PATIENCE_SECONDS: Final = 30.0
"""A lock request that waits longer is felt by everybody behind it as an outage."""

_THE_RULES: Final = "\0"
"""Stands for "the lock that the rule names"."""


@dataclass
class Outlook:
    """What the file does further down."""

    sets_lock_timeout_at: int = 0
    """The statement that sets it last; 0: none."""

    secures: set[str] = field(default_factory=set)
    """The tables whose row security it switches on."""


@dataclass
class Promise:
    """A finding that a later statement of the same transaction can take back."""

    key: str
    finding: Finding


@dataclass
class Examination:
    """Everything that the checks share."""

    model: Catalogue
    pg_major: int
    managed: bool = False
    """Our runner applies it: lock_timeout is set for the session, and it retries."""

    session: Session = field(default_factory=Session)
    outlook: Outlook = field(default_factory=Outlook)
    born: set[str] = field(default_factory=set)
    """Relations, types and functions that this file created: nobody uses them yet."""

    filled: set[str] = field(default_factory=set)
    """New tables that a query has filled."""

    prepared: dict[str, Node] = field(default_factory=dict)
    """The statements that PREPARE named."""

    born_columns: set[tuple[str, str]] = field(default_factory=set)
    validated: set[tuple[str, str]] = field(default_factory=set)
    """Constraints that this file validated, by table and name."""

    dropping: set[str] = field(default_factory=set)
    """Constraints that the same ALTER TABLE drops: it does so before all else."""

    findings: list[Finding] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    statement: Statement = None  # type: ignore[assignment] # set before every check
    line: int = 1
    last_line: int = 1

    def report(
        self,
        rule_id: str,
        relation: str | None = None,
        *,
        detail: str = "",
        lock: str | None = _THE_RULES,
        level: Level | None = None,
        unless: str | None = None,
    ) -> None:
        """Say what a rule says; with `unless`, only if the transaction does not make it good."""
        rule = RULES[rule_id]
        lock = rule.lock if lock == _THE_RULES else lock
        if level is None:
            level = "advice" if rule.grows and relation and self.is_tiny(relation) else rule.level
        finding = Finding(
            rule=rule.id,
            level=level,
            line=self.line,
            message=message(rule, name=relation, detail=detail, lock=lock),
            lock=lock,
            remedy=rule.remedy.format(name=relation or "the table", detail=detail or "..."),
            relation=relation,
            statement=self.statement.number,
        )
        self.findings.append(finding)
        if unless is not None and self.session.transaction is not None:
            self.promises.append(Promise(unless, finding))

    def report_once(self, rule_id: str, *, detail: str = "", level: Level | None = None) -> None:
        """Say it for the first statement only: the rest of the file has the same reason."""
        if rule_id not in self.told:
            self.told.add(rule_id)
            self.report(rule_id, detail=detail, level=level)

    def replacement_of(self, relation: str) -> str:
        """What makes good that a relation goes: another one, with its rights where it had some."""
        table = self.model.table(relation)
        return f"granted {relation}" if table and table.granted else f"relation {relation}"

    def fulfil(self, key: str) -> None:
        """Take back what a later statement of the same transaction makes good."""
        kept = [each for each in self.promises if each.key == key]
        for each in kept:
            if each.finding in self.findings:
                self.findings.remove(each.finding)
            self.promises.remove(each)

    def is_new(self, relation: str | None) -> bool:
        """Whether nobody can be using it, because this file has created it."""
        return relation is not None and relation in self.born

    def is_missing(self, relation: str) -> bool:
        """Whether it certainly does not exist."""
        known = relation in self.model.tables or relation in self.model.sequences
        return not known and (self.model.complete or relation in self.model.gone)

    def is_tiny(self, relation: str) -> bool:
        """Whether a server has said that it takes but a few pages."""
        table = self.model.table(relation)
        index = self.model.indexes.get(relation)
        if table is None and index is not None:
            return self.is_tiny(index.table)
        if table is None or table.size is None or table.kind == "foreign":
            return False
        family = [
            table,
            *(self.model.tables[p] for p in table.partitions if p in self.model.tables),
        ]
        return sum(each.size or 0 for each in family) <= _TINY_BYTES

    def take(self, relation: str | None, mode: str, *, counted: bool = True) -> None:
        """A statement takes a lock on something that others use, and keeps it until COMMIT."""
        if relation is None or self.is_new(relation) or mode not in BLOCKS:
            return
        self._judge_timeout()
        transaction = self.session.transaction
        if transaction is None:
            return
        number = self.statement.number
        others = [
            each
            for each in self.session.held_before(number)
            if each.relation != relation and each.counted
        ]
        if others and counted and "several-tables-locked" not in transaction.told:
            transaction.told.add("several-tables-locked")
            self.report("several-tables-locked", relation, detail=str(others[0]), lock=mode)
        transaction.held.append(Held(relation, mode, number, counted=counted))

    def works_long(self, rule_id: str) -> None:
        """The statement reads or changes many rows: whatever is held, is held for that long."""
        transaction = self.session.transaction
        held = self.session.held_before(self.statement.number)
        if held and transaction is not None and rule_id not in transaction.told:
            transaction.told.add(rule_id)
            strongest = next((each for each in held if each.mode == "ACCESS EXCLUSIVE"), held[0])
            self.report(rule_id, detail=str(strongest))

    def _judge_timeout(self) -> None:
        value = self.session.get("lock_timeout")
        if value is None:
            self._judge_missing_timeout()
            return
        limit = seconds(value)
        if limit == 0:
            self.report_once("lock-timeout-off")
        elif limit is not None and limit > _PATIENCE_SECONDS:
            self.report_once("lock-timeout-too-long", detail=value)

    def _judge_missing_timeout(self) -> None:
        if self.managed:
            return
        if self.outlook.sets_lock_timeout_at > self.statement.number:
            self.report_once("lock-timeout-late")
        else:
            self.report_once("lock-timeout-missing")
