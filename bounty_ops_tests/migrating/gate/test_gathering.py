"""What gates look at comes from a real database and a real bucket; what is away shuts a gate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import Environment, Policy, Settings
from bounty_ops.errors import ObjectStoreError, ServerUnavailable
from bounty_ops.journal import layout
from bounty_ops.journal.evidence import Acknowledgement
from bounty_ops.journal.permits import write_approval, write_rehearsal
from bounty_ops.journal.records import Verdict
from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.gate import Records, brief, gather, refused
from bounty_ops.migrating.live import schema_fingerprint
from bounty_ops.migrating.standing import drifted, standing
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.fix_backups import run
from bounty_ops_tests.migrating.gate.situations import (
    AFTER,
    OTHER,
    approval,
    certificate,
    record,
)
from bounty_ops_tests.migrating.lines import longer_line, migrate

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops_tests.fix_backups import Backups

AWAY = "postgresql://bounty:planted@127.0.0.1:1/bounty"


def settings_of(*environments: Environment) -> Settings:
    found = {environment.name: environment for environment in environments}
    return Settings(Path("unused"), Path("unused"), found, "production")


def production(url: DatabaseUrl, **policy: object) -> Environment:
    return Environment("production", url, Policy.model_validate({"protected": True, **policy}))


@pytest.fixture
def line(tmp_path: Path) -> Lineage:
    return longer_line(tmp_path, "ALTER TABLE bounty ADD COLUMN note text")


def test_what_lies_in_the_bucket_and_what_the_database_says_is_gathered(
    make_database: Callable[..., DatabaseUrl], backups: Backups, line: Lineage
) -> None:
    url, first = make_database(), make_database()
    migrate(url)
    migrate(first, line)
    here = production(url)
    plan = plan_migration(here, line)
    ours = replace(backups, environment="production")
    proved, unverified = ours.take(url), ours.take(url)
    assert ours.verify(proved).verdict is Verdict.PROVED
    store = backups.store
    write_rehearsal(store, certificate())
    write_approval(store, approval())
    backups.journal.write_migration(record())
    backups.journal.write_migration(record(environment="production"))
    staging = Environment("staging", first, Policy())

    facts = gather(
        here,
        settings_of(here, staging),
        plan,
        store,
        operator="ada",
        given_digest=plan.digest,
        acknowledged=(Acknowledgement(rule="a", reason="b"),),
        override="c",
        lineage=line,
    )

    records = facts.records
    assert isinstance(records, Records)
    assert {one.id for one in records.backups} == {proved.id, unverified.id}
    assert records.revisions == {proved.id: "bounty_0001"}
    assert [one.environment for one in records.migrations] == ["production"]
    assert [one.environment for one in records.first] == ["staging"]
    assert [one.id for one in records.rehearsals] == ["rehearsal-1"]
    assert [one.id for one in records.approvals] == ["approval-grace"]
    assert facts.first_now is not None
    assert (facts.first_now.revision, facts.first_now.known) == ("bounty_0002", True)
    assert facts.first_now.fingerprint == schema_fingerprint(first)
    assert facts.live.server_major == 17
    assert not facts.live.empty
    assert isinstance(facts.findings, dict)
    assert (facts.given_digest, facts.override) == (plan.digest, "c")
    assert not facts.interrupted

    # A manifest that was damaged meanwhile leaves its backup without a revision.
    key = layout.manifest_key("production", proved.id)
    store.delete(key)
    store.put_if_absent(key, b"{")
    again = gather(here, settings_of(here), plan, store, operator="ada", lineage=line)
    assert isinstance(again.records, Records)
    assert again.records.revisions == {}


def test_what_cannot_be_asked_shuts_its_gate_and_hides_nothing(
    migrated_database: DatabaseUrl, s3_prefix: ObjectStoreSettings, line: Lineage
) -> None:
    here = production(migrated_database)
    away = Environment("staging", type(migrated_database).parse(AWAY), Policy())
    nowhere = ObjectStore(replace(s3_prefix, endpoint_url="http://127.0.0.1:9"))
    briefing = brief(here, settings_of(here, away), nowhere, operator="ada", lineage=line)
    assert isinstance(briefing.facts.records, ObjectStoreError)
    assert briefing.facts.first_now is None
    shut = {one.name: one.reason for one in refused(briefing.gates)}
    assert set(shut) == {"backup", "staging", "rehearsal", "digest"}
    assert "the bucket could not be asked" in shut["backup"]
    assert not briefing.ready
    assert "planted" not in repr(briefing.gates)


def test_a_database_that_is_away_is_an_error_and_no_gate(
    migrated_database: DatabaseUrl, line: Lineage
) -> None:
    here = production(migrated_database)
    plan = plan_migration(here, line)
    gone = replace(here, url=type(migrated_database).parse(AWAY))
    with pytest.raises(ServerUnavailable):
        gather(gone, settings_of(gone), plan, None, operator="ada", lineage=line)


@pytest.mark.soak
def test_an_unprotected_environment_is_asked_for_nothing_in_the_bucket(
    fresh_database: DatabaseUrl, line: Lineage
) -> None:
    here = Environment("development", fresh_database, Policy())
    briefing = brief(here, settings_of(here), None, operator="ada", lineage=line)
    assert briefing.ready
    assert briefing.facts.live.empty
    run(fresh_database, "CREATE EXTENSION pg_trgm", "CREATE SCHEMA bounty_ops")
    run(fresh_database, "CREATE TABLE bounty_ops.ours (id int)")
    assert brief(here, settings_of(here), None, operator="ada", lineage=line).facts.live.empty
    run(fresh_database, "CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.theirs (id int)")
    again = brief(here, settings_of(here), None, operator="ada", lineage=line)
    assert not again.facts.live.empty


def test_where_an_environment_stands_is_told_whatever_is_away(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    evidence = migrate(fresh_database)
    here = production(fresh_database)
    backups.journal.write_migration(evidence.model_copy(update={"environment": "production"}))
    found = standing(here, settings_of(here), backups.store, operator="ada")
    assert (found.revision, found.pending, found.drift) == ("bounty_0001", (), "no")
    assert found.last is not None
    run(fresh_database, "CREATE INDEX by_hand ON bounty (title)")
    found = standing(here, settings_of(here), backups.store, operator="ada")
    assert (found.drift, found.gates) == ("yes", ())

    gone = replace(here, url=type(fresh_database).parse(AWAY))
    problem = ObjectStoreError("nobody answers", hint="Look.")
    found = standing(gone, settings_of(gone), problem, operator="ada")
    assert not found.reachable
    assert "127.0.0.1:1" in (found.problem or "")
    assert found.bucket_problem == "nobody answers. Look."
    assert found.drift == "unknown"


def test_drift_is_known_only_by_the_record_that_made_the_present_revision() -> None:
    made = record(environment="production")
    assert drifted([made], "bounty_0004", AFTER) == "no"
    assert drifted([made], "bounty_0004", OTHER) == "yes"
    assert drifted([made], "bounty_0003", AFTER) == "unknown"
    assert drifted([], None, AFTER) == "unknown"
    blind = record(fingerprint_after=None)
    assert drifted([blind], "bounty_0004", AFTER) == "unknown"
    idle = record(id="record-2", outcome="nothing_to_do", fingerprint_after=None)
    assert drifted([idle, made], "bounty_0004", AFTER) == "no"
