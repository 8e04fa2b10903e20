"""No protected migration without its gates: each refusal, and every combination of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.environments import Policy
from bounty_ops.journal.evidence import Acknowledgement, Override
from bounty_ops.migrating.errors import GateRefusedError
from bounty_ops.migrating.gate import FirstNow, GateFacts, gate, permit, refused, same_person
from bounty_ops_tests.migrating.gate.situations import (
    AFTER,
    BEFORE,
    DEFECTS,
    DIGEST,
    ERROR,
    GOOD,
    GOOD_RECORDS,
    LIVE,
    NO_BUCKET,
    OTHER,
    PLAN,
    Defect,
    approval,
    backup,
    certificate,
    hours_ago,
    in_two_steps,
    record,
    with_policy,
    with_records,
)

if TYPE_CHECKING:
    from bounty_ops.migrating.gate import Gate

NAMES = ("lint", "backup", "staging", "rehearsal", "second_person", "digest")
OF_BUCKET = {"backup", "staging", "rehearsal", "second_person"}
NO_TABLES = replace(LIVE, tables=())
EMPTY = replace(
    GOOD,
    live=NO_TABLES,
    plan=replace(PLAN, current=None),
    records=replace(GOOD_RECORDS, backups=()),
)


def by_name(facts: GateFacts) -> dict[str, Gate]:
    return {one.name: one for one in gate(facts)}


def shut(facts: GateFacts) -> set[str]:
    return {one.name for one in refused(gate(facts))}


def test_with_everything_in_place_every_gate_passes_and_says_by_what() -> None:
    gates = by_name(GOOD)
    assert tuple(gates) == NAMES
    assert {one.state for one in gates.values()} == {"passed"}
    assert all(one.remedy is None for one in gates.values())
    assert gates["backup"].reason == "backup-1 is proved and 2.0 h old"
    assert gates["staging"].reason == (
        "staging has had the same files for 30.0 h, with an equal schema"
    )
    assert gates["rehearsal"].reason == (
        "rehearsal-1 passed 5.0 h ago on a copy of backup-1; it predicts 1.5 s"
    )
    assert gates["second_person"].reason == "approved by grace"
    assert [gates[name].rests_on for name in NAMES] == [
        None, "backup-1", "record-1", "rehearsal-1", "approval-grace", None,
    ]  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.what)
def test_each_defect_shuts_its_gate_and_no_other(defect: Defect) -> None:
    facts = defect.spoil(GOOD)
    assert shut(facts) == {defect.gate, *defect.also}
    answer = by_name(facts)[defect.gate]
    assert re.search(defect.reason, answer.reason), answer.reason
    assert answer.remedy is not None
    assert re.search(defect.remedy, answer.remedy), answer.remedy
    assert answer.rests_on is None
    with pytest.raises(GateRefusedError, match=defect.gate) as caught:
        permit(facts)
    assert caught.value.gates == gate(facts)
    assert re.search(defect.remedy, caught.value.hint)


def test_a_bucket_that_does_not_answer_shuts_all_that_rests_on_it() -> None:
    facts = replace(GOOD, records=NO_BUCKET)
    assert shut(facts) == OF_BUCKET
    for name in OF_BUCKET:
        answer = by_name(facts)[name]
        assert answer.reason == "the bucket could not be asked: nobody answers at s3.example"
        assert answer.remedy == "Look at the store."


@given(
    chosen=st.lists(
        st.sampled_from([one for one in DEFECTS if not one.tangled]),
        unique_by=lambda defect: defect.gate,
        max_size=6,
    ),
    bucket=st.booleans(),
    override=st.sampled_from(["", "  ", "the site is down"]),
    acknowledged=st.booleans(),
    reason=st.sampled_from([" ", "the table is empty"]),
)
def test_no_combination_of_facts_opens_a_gate_that_has_to_refuse(
    chosen: list[Defect],
    bucket: bool,
    override: str,
    acknowledged: bool,
    reason: str,
) -> None:
    facts = replace(GOOD, override=override)
    for defect in chosen:
        facts = defect.spoil(facts)
    spoilt: set[str] = {name for defect in chosen for name in (defect.gate, *defect.also)}
    if not bucket:
        facts = replace(facts, records=NO_BUCKET)
        spoilt |= OF_BUCKET
    if acknowledged:
        given = (Acknowledgement(rule=ERROR.rule, reason=reason),)
        facts = replace(facts, acknowledged=given)
        if reason.strip() and isinstance(facts.findings, dict):
            spoilt -= {"lint"}
    gates = by_name(facts)
    emergency = bool(override.strip())
    still_shut = spoilt & {"digest"} if emergency else spoilt
    assert {name for name, one in gates.items() if one.state == "refused"} == still_shut
    overridden = {name for name, one in gates.items() if one.state == "overridden"}
    assert overridden == (spoilt - {"digest"} if emergency else set())
    if still_shut:
        with pytest.raises(GateRefusedError):
            permit(facts)
        return
    permitted = permit(facts)
    assert facts.given_digest == facts.plan.digest
    assert permitted.override == (
        Override(reason=override, gates=tuple(name for name in NAMES if name in overridden))
        if overridden
        else None
    )


@given(
    protected=st.booleans(),
    empty=st.booleans(),
    current=st.sampled_from([None, "bounty_0002"]),
    given_digest=st.sampled_from([None, DIGEST, "e" * 64, "head", ""]),
    second_person=st.booleans(),
    first_on=st.sampled_from(["", "staging", "production"]),
    errors=st.integers(0, 2),
    age=st.floats(0, 60),
    soaked=st.floats(0, 60),
    override=st.sampled_from(["", "an emergency"]),
)
def test_whatever_is_permitted_has_no_gate_that_refuses(  # noqa: PLR0917 - hypothesis fills them
    protected: bool,
    empty: bool,
    current: str | None,
    given_digest: str | None,
    second_person: bool,
    first_on: str,
    errors: int,
    age: float,
    soaked: float,
    override: str,
) -> None:
    policy = Policy(
        protected=protected, migrate_second_person=second_person, migrate_first_on=first_on
    )
    facts = GateFacts(
        plan=replace(PLAN, current=current),
        policy=policy,
        now=GOOD.now,
        operator="grace",
        live=NO_TABLES if empty else LIVE,
        findings={"bounty_0003": (ERROR,) * errors},
        records=replace(
            GOOD_RECORDS,
            backups=(backup(taken_at=hours_ago(age)),),
            first=(record(finished_at=hours_ago(soaked)),),
        ),
        given_digest=given_digest,
        override=override,
    )
    if refused(gate(facts)):
        assert protected or given_digest not in {None, DIGEST}
        with pytest.raises(GateRefusedError):
            permit(facts)
        return
    permitted = permit(facts)
    if not protected:
        assert given_digest in {None, DIGEST}
        assert permitted.override is None
        return
    assert given_digest == DIGEST
    ground = errors or second_person
    if not (empty and current is None):
        ground = ground or current is None or age > 24 or (first_on == "staging" and soaked < 24)
    assert bool(permitted.override) == bool(ground)
    assert bool(override) or not ground


def test_an_unprotected_environment_needs_nothing_and_is_told_what_production_would_say() -> None:
    facts = replace(
        with_policy(GOOD, protected=False),
        records=NO_BUCKET,
        given_digest=None,
        findings={"bounty_0003": (ERROR,)},
    )
    gates = by_name(facts)
    assert {one.state for one in gates.values()} == {"not_required"}
    assert gates["backup"].reason == "production is not protected"
    assert gates["lint"].reason == (
        "production is not protected; a protected environment would refuse 1 error: "
        "adds-not-null in bounty_0003"
    )
    assert gates["lint"].remedy is not None
    assert permit(facts, "because").reason == "because"
    failed = replace(facts, findings=NO_BUCKET)
    assert "not linted: nobody answers" in by_name(failed)["lint"].reason


def test_an_unprotected_environment_is_not_migrated_by_another_plans_digest() -> None:
    facts = replace(with_policy(GOOD, protected=False), given_digest="e" * 64, override="now!")
    assert shut(facts) == {"digest"}


def test_an_empty_database_has_nothing_to_lose() -> None:
    gates = by_name(EMPTY)
    for name in ("backup", "staging", "rehearsal"):
        assert gates[name].state == "not_required"
        assert gates[name].reason == "the database is empty: there is nothing to lose yet"
    assert gates["digest"].state == "passed"
    assert gates["second_person"].state == "passed"


@pytest.mark.parametrize(
    "facts", [replace(EMPTY, live=LIVE), replace(EMPTY, plan=PLAN)], ids=["tables", "revision"]
)
def test_a_database_with_a_table_or_a_revision_is_not_empty(facts: GateFacts) -> None:
    assert "backup" in shut(facts)


def test_with_nothing_pending_nothing_is_asked() -> None:
    facts = replace(GOOD, plan=replace(PLAN, pending=()), records=NO_BUCKET, given_digest="x")
    assert {one.state for one in gate(facts)} == {"not_required"}
    assert {one.reason for one in gate(facts)} == {"nothing is pending"}


def test_an_acknowledgement_with_a_reason_opens_the_gate_and_is_recorded() -> None:
    given = (
        Acknowledgement(rule=ERROR.rule, reason="the table is empty"),
        Acknowledgement(rule="of-something-else", reason="just in case"),
    )
    facts = replace(GOOD, findings={"bounty_0003": (ERROR,)}, acknowledged=given)
    answer = by_name(facts)["lint"]
    assert answer.state == "passed"
    assert answer.reason == "1 error, acknowledged: adds-not-null: the table is empty"
    assert permit(facts).acknowledged == given[:1]


def test_warnings_are_counted_and_stop_nobody() -> None:
    warning = replace(ERROR, level="warning")
    facts = replace(GOOD, findings={"bounty_0003": (warning,), "bounty_0004": (warning,)})
    assert by_name(facts)["lint"].reason == "no errors (2 warnings)"
    assert permit(facts).acknowledged == ()


def test_the_permit_names_what_the_migration_rests_on() -> None:
    permitted = permit(GOOD, "OPS-1")
    assert permitted.reason == "OPS-1"
    assert permitted.backup_id == "backup-1"
    assert permitted.rehearsal_id == "rehearsal-1"
    assert permitted.approvals == ("grace",)
    assert permitted.predicted_seconds == 1.5
    assert permitted.override is None


def test_an_emergency_overrides_what_refuses_and_says_so_but_never_the_digest() -> None:
    facts = with_records(replace(GOOD, override=" the site is down "), backups=(), rehearsals=())
    gates = by_name(facts)
    assert {name for name, one in gates.items() if one.state == "overridden"} == {
        "backup",
        "rehearsal",
    }
    assert gates["backup"].reason == "no backup of production was proved by a restore"
    permitted = permit(facts)
    assert permitted.override == Override(reason="the site is down", gates=("backup", "rehearsal"))
    assert permitted.backup_id is None
    assert permitted.rehearsal_id is None
    assert shut(replace(facts, given_digest=None)) == {"digest"}


def test_an_override_that_nothing_needs_is_not_recorded() -> None:
    assert permit(replace(GOOD, override="to be safe")).override is None


@pytest.mark.parametrize(
    "facts",
    [
        with_records(GOOD, first=in_two_steps()),
        with_records(GOOD, first=in_two_steps(outcome="failed")),
        with_records(
            GOOD,
            first=in_two_steps(),
            rehearsals=(certificate(fingerprint_before=None, fingerprint_after=None),),
        ),
        with_records(GOOD, first=(record(from_revision="bounty_0001", fingerprint_before=OTHER),)),
        replace(GOOD, first_now=None),
        replace(GOOD, first_now=FirstNow("bounty_0005", known=False, fingerprint=OTHER)),
        with_policy(GOOD, migrate_first_on=""),
        with_policy(GOOD, migrate_first_on="production"),
    ],
    ids=[
        "in two steps",
        "the second after a failure",
        "in two steps, without a rehearsal's word",
        "together with others, by the rehearsal's word",
        "staging cannot be asked",
        "staging is ahead",
        "none goes first",
        "this one goes first",
    ],
)
def test_other_ways_through_the_gate_of_staging(facts: GateFacts) -> None:
    assert shut(facts) == set()


def test_the_soak_begins_with_the_last_of_several_steps() -> None:
    first, second = in_two_steps()
    second = second.model_copy(update={"finished_at": hours_ago(1)})
    facts = with_records(GOOD, first=(first, second))
    assert shut(facts) == {"staging"}
    assert by_name(facts)["staging"].reason.startswith("staging has had them for 1.0 h")


def test_a_later_application_makes_good_for_one_that_was_taken_back() -> None:
    back = record(
        id="record-2", direction="downgrade", to_revision="bounty_0002", finished_at=hours_ago(29)
    )
    again = record(id="record-3", finished_at=hours_ago(28))
    facts = with_records(GOOD, first=(again, record(), back))
    assert by_name(facts)["staging"].rests_on == "record-3"


def test_without_a_soak_time_a_migration_may_follow_at_once() -> None:
    facts = with_policy(with_records(GOOD, first=(record(finished_at=GOOD.now),)))
    assert shut(facts) == {"staging"}
    assert shut(with_policy(facts, migrate_soak_hours=0)) == set()


def test_an_older_backup_of_the_present_revision_will_do() -> None:
    newer = backup(2, taken_at=hours_ago(1))
    facts = with_records(
        GOOD,
        backups=(newer, backup()),
        revisions={"backup-1": "bounty_0002", "backup-2": "bounty_0001"},
    )
    assert by_name(facts)["backup"].rests_on == "backup-1"


def test_what_a_failed_attempt_left_behind_stops_no_second_one() -> None:
    """An index that was built halfway changes the schema, and nobody else has."""
    left = replace(GOOD, plan=replace(PLAN, fingerprint=OTHER))
    assert shut(left) == {"rehearsal"}
    failed = record(
        environment="production",
        outcome="failed",
        to_revision="bounty_0002",
        revisions=(),
        files=(),
        fingerprint_before=BEFORE,
        fingerprint_after=OTHER,
    )
    assert shut(with_records(left, migrations=(failed,))) == set()
    elsewhere = failed.model_copy(update={"fingerprint_after": AFTER})
    assert shut(with_records(left, migrations=(elsewhere,))) == {"rehearsal"}
    further = failed.model_copy(update={"revisions": ("bounty_0002",)})
    assert shut(with_records(left, migrations=(further,))) == {"rehearsal"}
    later = record(environment="production", id="record-2", finished_at=hours_ago(1))
    assert shut(with_records(left, migrations=(failed, later))) == {"rehearsal"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ada", "ada", True),
        ("ada", " Ada ", True),
        ("ada@laptop", "ada@ci", True),
        ("ada", "grace", False),
        ("ada@ci", "grace@ci", False),
    ],
)
def test_who_is_the_same_person(one: str, other: str, same: bool) -> None:
    assert same_person(one, other) is same


def test_whoever_approved_besides_is_named_although_nobody_asked() -> None:
    facts = with_policy(
        with_records(GOOD, approvals=(approval("grace"), approval("ada"), approval("joan"))),
        migrate_second_person=False,
    )
    assert by_name(facts)["second_person"].state == "not_required"
    assert permit(facts).approvals == ("grace", "joan")


def halfway(**changes: object) -> GateFacts:
    """Production had the first of the two, then the attempt was stopped."""
    stopped = record(
        environment="production",
        outcome="failed",
        to_revision="bounty_0003",
        revisions=("bounty_0003",),
        files=PLAN.files[:1],
        fingerprint_after=OTHER,
        backup_id="backup-1",
        finished_at=hours_ago(0.5),
    ).model_copy(update=changes)
    rest = replace(PLAN, current="bounty_0003", pending=PLAN.pending[1:], fingerprint=OTHER)
    return with_records(replace(GOOD, plan=rest, behind=PLAN.pending[:1]), migrations=(stopped,))


def test_a_migration_that_was_stopped_halfway_goes_on_with_what_it_rested_on() -> None:
    permitted = permit(halfway())
    assert permitted.backup_id == "backup-1"
    assert permitted.rehearsal_id == "rehearsal-1"


def test_what_was_not_stopped_halfway_does_not_go_on() -> None:
    assert shut(halfway(outcome="applied")) == {"backup"}
    assert shut(halfway(backup_id="backup-7")) == {"backup"}
    assert shut(halfway(to_revision="bounty_0002")) == {"backup"}
    other = replace(PLAN.pending[0], sha256="f" * 64)
    assert shut(replace(halfway(), behind=(other,))) == {"rehearsal", "staging"}
    assert shut(replace(halfway(), behind=())) == {"rehearsal", "staging"}
    other = replace(PLAN.pending[0], sql="SELECT 1;\n")
    assert shut(replace(halfway(), behind=(other,))) == {"rehearsal", "staging"}


def test_in_the_middle_of_a_revision_no_schema_is_compared_with_the_live_one() -> None:
    """Its runner was killed: there is no record, and half an index may be there."""
    facts = replace(GOOD, plan=replace(PLAN, fingerprint="9" * 64))
    assert shut(facts) == {"rehearsal"}
    assert shut(replace(facts, interrupted=True)) == set()
