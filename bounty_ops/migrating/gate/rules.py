"""Whether a migration may be carried out: facts in, one answer for each gate out.

Pure: nothing is asked here. The command line and Dagster's form show the answers of this one
function and go by them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import BountyOpsError
from bounty_ops.migrating.gate.resting import backup_gate, rehearsal_gate
from bounty_ops.migrating.gate.staging import staging_gate
from bounty_ops.migrating.gate.values import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bounty_ops.journal.evidence import Acknowledgement
    from bounty_ops.migrating.gate.values import GateFacts, Name, Records
    from bounty_ops.migrating.lint.finding import Finding

#: What nobody can override: an emergency, too, applies what was looked at and nothing else.
NEVER_OVERRIDDEN: Final = frozenset({"digest"})
#: What a database without any table has no use for.
_NOTHING_TO_LOSE: Final = frozenset({"backup", "staging", "rehearsal"})


def gate(facts: GateFacts) -> tuple[Gate, ...]:
    """Answer for every gate, in the order in which they are best met."""
    if not facts.plan.pending:
        return tuple(Gate(name, "not_required", "nothing is pending") for name in _GATES)
    answers = [_answer(name, facts) for name in _GATES]
    return tuple(_overridden(answer, facts.override) for answer in answers)


def acknowledgements(facts: GateFacts) -> tuple[Acknowledgement, ...]:
    """Return those that some finding asks for: what the record says was acknowledged."""
    if isinstance(facts.findings, BountyOpsError):
        return ()
    found = {one.rule for findings in facts.findings.values() for one in findings}
    return tuple(
        given for given in facts.acknowledged if given.rule in found and given.reason.strip()
    )


def same_person(one: str, other: str) -> bool:
    """Whether two names may be the same person's.

    ``ada@laptop`` and ``Ada@ci`` are: whoever approves their own plan from another machine is no
    second person.
    """
    return _person(one) == _person(other)


def _person(name: str) -> str:
    return name.strip().partition("@")[0].strip().casefold()


def _answer(name: Name, facts: GateFacts) -> Gate:
    plan = facts.plan
    if name == "digest":
        return _digest_gate(facts)
    if not facts.policy.protected:
        return _advice(facts) if name == "lint" else _unprotected(name, plan.environment)
    if name in _NOTHING_TO_LOSE and facts.live.empty and plan.current is None:
        return Gate(name, "not_required", "the database is empty: there is nothing to lose yet")
    return _GATES[name](facts)


def _unprotected(name: Name, environment: str) -> Gate:
    return Gate(name, "not_required", f"{environment} is not protected")


def _overridden(answer: Gate, reason: str) -> Gate:
    if answer.open or answer.name in NEVER_OVERRIDDEN or not reason.strip():
        return answer
    return replace(answer, state="overridden", remedy=None)


def _lint_gate(facts: GateFacts) -> Gate:
    findings = facts.findings
    if isinstance(findings, BountyOpsError):
        return Gate("lint", "refused", f"the revisions were not linted: {findings}", findings.hint)
    errors = _errors(findings)
    accepted = {given.rule for given in acknowledgements(facts)}
    left = [(revision, error) for revision, error in errors if error.rule not in accepted]
    if left:
        rules = sorted({error.rule for _, error in left})
        given = " ".join(f"--acknowledge {rule}=REASON" for rule in rules)
        return Gate(
            "lint",
            "refused",
            f"{_counted(left)}: {_named(left)}",
            "Change the revision as the finding says, or say why it does no harm here: "
            f"bounty-ops db migrate -e {facts.plan.environment} --apply DIGEST {given}",
        )
    if errors:
        reasons = "; ".join(
            f"{given.rule}: {given.reason}"
            for given in acknowledgements(facts)
            if given.rule in {error.rule for _, error in errors}
        )
        return Gate("lint", "passed", f"{_counted(errors)}, acknowledged: {reasons}")
    warnings = sum(one.level == "warning" for found in findings.values() for one in found)
    told = f" ({warnings} {'warning' if warnings == 1 else 'warnings'})" if warnings else ""
    return Gate("lint", "passed", f"no errors{told}")


def _advice(facts: GateFacts) -> Gate:
    """Nobody is stopped, but what production will refuse is told early."""
    unprotected = _unprotected("lint", facts.plan.environment)
    if isinstance(facts.findings, BountyOpsError):
        return replace(unprotected, reason=f"{unprotected.reason}; not linted: {facts.findings}")
    errors = _errors(facts.findings)
    if not errors:
        return unprotected
    return replace(
        unprotected,
        reason=f"{unprotected.reason}; a protected environment would refuse {_counted(errors)}: "
        f"{_named(errors)}",
        remedy="Change the revision as the finding says, before it goes any further.",
    )


def _errors(findings: Mapping[str, tuple[Finding, ...]]) -> list[tuple[str, Finding]]:
    return [
        (revision, one)
        for revision, found in findings.items()
        for one in found
        if one.level == "error"
    ]


def _counted(errors: Collection[object]) -> str:
    return "1 error" if len(errors) == 1 else f"{len(errors)} errors"


def _named(errors: Collection[tuple[str, Finding]]) -> str:
    counts = Counter((error.rule, revision) for revision, error in errors)
    return ", ".join(
        f"{rule} in {revision}" + (f" ({count} times)" if count > 1 else "")
        for (rule, revision), count in counts.items()
    )


def _second_person_gate(facts: GateFacts) -> Gate:
    records, plan = facts.records, facts.plan
    if not facts.policy.migrate_second_person:
        return Gate("second_person", "not_required", "the policy asks for no second person")
    if isinstance(records, BountyOpsError):
        return _unreadable("second_person", records)
    approvals = [
        one
        for one in records.approvals
        if one.digest == plan.digest and one.environment == plan.environment
    ]
    others = [one for one in approvals if not same_person(one.approved_by, facts.operator)]
    if others:
        names = ", ".join(sorted({one.approved_by for one in others}))
        return Gate("second_person", "passed", f"approved by {names}", rests_on=others[0].id)
    why = (
        f"only {facts.operator} has approved this digest, who applies it"
        if approvals
        else "nobody has approved this digest"
    )
    return Gate(
        "second_person",
        "refused",
        why,
        f"Somebody else than {facts.operator}: bounty-ops db approve -e {plan.environment} "
        f"{plan.digest}",
    )


def _digest_gate(facts: GateFacts) -> Gate:
    plan, given = facts.plan, facts.given_digest
    again = f"bounty-ops db migrate -e {plan.environment} --apply {plan.digest}"
    if given == plan.digest:
        return Gate("digest", "passed", "the digest is that of this plan")
    if given is not None:
        return Gate(
            "digest",
            "refused",
            "the digest that was given is that of another plan: something was migrated, deployed "
            "or changed since, or it is mistyped",
            f"Read the plan again: bounty-ops db plan -e {plan.environment}",
        )
    if not facts.policy.protected:
        return _unprotected("digest", plan.environment)
    return Gate("digest", "refused", "no digest was given yet", f"Read the plan, then: {again}")


def _unreadable(name: Name, error: BountyOpsError) -> Gate:
    return Gate(name, "refused", f"the bucket could not be asked: {error}", error.hint)


def _of_bucket(
    name: Name, decide: Callable[[GateFacts, Records], Gate]
) -> Callable[[GateFacts], Gate]:
    def answer(facts: GateFacts) -> Gate:
        if isinstance(facts.records, BountyOpsError):
            return _unreadable(name, facts.records)
        return decide(facts, facts.records)

    return answer


_GATES: Final[dict[Name, Callable[[GateFacts], Gate]]] = {
    "lint": _lint_gate,
    "backup": _of_bucket("backup", backup_gate),
    "staging": _of_bucket("staging", staging_gate),
    "rehearsal": _of_bucket("rehearsal", rehearsal_gate),
    "second_person": _second_person_gate,
    "digest": _digest_gate,
}
