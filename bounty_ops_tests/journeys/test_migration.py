"""The way of a change into production, with every gate refusing when it should on the way.

Two databases on a real server, a real bucket, and the commands that an operator types. What was
written into the bucket by one command is what the next one goes by.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, Index, MetaData, Text

from bounty_ops.cli.invocation import Invocation
from bounty_ops.cli.main import _run
from bounty_ops.environments import load_settings
from bounty_ops.journal import Journal
from bounty_ops.migrating.generate import generate
from bounty_ops.migrating.lineage import BOUNTY, Lineage
from bounty_ops.migrating.lint import lint_revisions
from bounty_ops.migrating.revisions import read_revisions
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.fix_backups import run, value
from bounty_ops_tests.migrating.lines import migrate, write_revision

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings

POLICY = """\
[environments.production]
protected = true
require_tls = false
migrate_soak_hours = {soak}
migrate_second_person = true
"""
NAMES = ("lint", "backup", "staging", "rehearsal", "second_person", "digest")


@dataclass(frozen=True)
class Desk:
    """The commands of people who work with one project directory, in this process."""

    home: Path
    line: Path
    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    production: DatabaseUrl

    def do(self, *words: str, code: int = 0, who: str = "ada") -> Any:  # noqa: ANN401 - JSON is anything
        """Run a command and return its document."""
        self.patch.setenv("LOGNAME", who)
        self.capsys.readouterr()
        ended = _run([*words, "--json"], Invocation(json=True))
        said = self.capsys.readouterr()
        assert ended == code, f"{words}: {said.out}{said.err}"
        return json.loads(said.out)

    def plan(self, *, shut: set[str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Production's plan, and the reasons of its gates, of which exactly these refuse."""
        plan = self.do("db", "plan", "-e", "production")
        gates = plan["gates"]
        assert tuple(gate["name"] for gate in gates) == NAMES
        refusing = {gate["name"] for gate in gates if gate["state"] == "refused"}
        assert refusing == shut | {"digest"}, gates
        return plan, {gate["name"]: gate["reason"] for gate in gates}

    def policy(self, *, soak: float) -> None:
        (self.home / "bounty_ops.toml").write_text(POLICY.format(soak=soak), encoding="utf-8")


@pytest.fixture
def desk(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make_database: Callable[..., DatabaseUrl],
    s3_prefix: ObjectStoreSettings,
) -> Desk:
    """Staging and production, both empty, and a copy of Bounty's migrations to add to."""
    home, line = tmp_path / "home", tmp_path / "bounty"
    home.mkdir()
    staging, production = make_database(), make_database()
    shared = {
        "OPS_DATABASE_URL": make_database().text(),
        "BACKUP_BUCKET": s3_prefix.location.uri(),
        "AWS_ENDPOINT_URL_S3": s3_prefix.endpoint_url or "",
        "AWS_REGION": s3_prefix.region or "",
        "AWS_ACCESS_KEY_ID": s3_prefix.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": s3_prefix.secret_access_key or "",
    }
    text = "".join(f"{name}={said}\n" for name, said in shared.items())
    (home / ".env").write_text(text, encoding="utf-8")
    for name, url in (("staging", staging), ("production", production)):
        (home / f".env.{name}").write_text(f"DATABASE_URL={url.text()}\n", encoding="utf-8")
    monkeypatch.setenv("BOUNTY_OPS_HOME", str(home))
    shutil.copytree(BOUNTY.directory(), line, ignore=shutil.ignore_patterns("__pycache__"))
    own = Lineage.directory

    def directory(lineage: Lineage) -> Path:
        return line if lineage.name == "bounty" and lineage.location is None else own(lineage)

    monkeypatch.setattr(Lineage, "directory", directory)
    made = Desk(home, line, capsys, monkeypatch, production)
    made.policy(soak=24)
    return made


def changed_models() -> MetaData:
    """Bounty's models with one more column, and an index on it."""
    changed = MetaData(naming_convention=BOUNTY.metadata.naming_convention)
    for table in BOUNTY.metadata.sorted_tables:
        table.to_metadata(changed)
    bounty = changed.tables["bounty"]
    bounty.append_column(Column("note", Text))
    Index("bounty_note_idx", bounty.c.note)
    return changed


def bring_both_to_the_baseline(desk: Desk) -> None:
    """An empty production has nothing to lose; the digest and a second person it needs as well."""
    desk.do("db", "migrate", "-e", "staging")
    plan, reasons = desk.plan(shut={"second_person"})
    assert reasons["backup"] == "the database is empty: there is nothing to lose yet"
    digest = plan["digest"]
    desk.do("db", "approve", "-e", "production", digest, who="grace")
    applied = desk.do("db", "migrate", "-e", "production", "--apply", digest)
    assert applied["outcome"] == "applied"
    assert applied["approvals"][0].startswith("grace@")
    run(
        desk.production,
        'INSERT INTO "user" (id, name, email, email_verified) '
        "SELECT 'u' || n, 'User ' || n, n || '@example.com', false FROM generate_series(1, 500) n",
    )


def refuse_what_the_linter_calls_an_error(desk: Desk) -> None:
    """Somebody writes a revision by hand that would stop everybody, or fail."""
    write_revision(
        desk.line, "bounty_0002", "bounty_0001", 'ALTER TABLE "user" ADD COLUMN a int NOT NULL'
    )
    written = desk.line / "versions" / "bounty_0002_step.py"
    desk.do("db", "lint", "bounty_0002", code=1)
    _, reasons = desk.plan(shut={"lint", "backup", "staging", "rehearsal", "second_person"})
    assert "error" in reasons["lint"]
    written.unlink()


def generate_and_lint(desk: Desk) -> list[str]:
    """One more column and an index on it, as sequences that stop nobody."""
    line = replace(BOUNTY, metadata=changed_models(), location=desk.line)
    assert generate(line, "notes on bounties")
    revisions = read_revisions(desk.line)
    pending = revisions.after("bounty_0001")
    assert len(pending) == 2  # the index alone, because it is built CONCURRENTLY
    findings = lint_revisions(revisions, pending)
    assert not [one for each in findings.values() for one in each if one.level == "error"]
    plan, _ = desk.plan(shut={"backup", "staging", "rehearsal", "second_person"})
    assert [step["revision"] for step in plan["pending"]] == [one.id for one in pending]
    assert plan["pending"][0]["predicted"]["seconds"] is None
    assert any(table["name"] == "bounty" for table in plan["pending"][0]["tables"])
    return [one.id for one in pending]


def a_change_by_hand_voids_everything(desk: Desk, digest: str) -> None:
    """Taken back, digest, rehearsal and staging hold again."""
    run(desk.production, "CREATE INDEX by_hand ON bounty (title)")
    stale = desk.do("db", "migrate", "-e", "production", "--apply", digest, code=3)
    assert "another digest" in stale["error"]["message"]
    _, reasons = desk.plan(shut={"rehearsal", "second_person"})
    assert "the live one was changed since" in reasons["rehearsal"]
    run(desk.production, "DROP INDEX by_hand")


def a_second_person_approves_this_digest_and_no_other(desk: Desk, digest: str) -> None:
    desk.do("db", "approve", "-e", "production", digest, who="ada")
    plan, reasons = desk.plan(shut={"second_person"})
    assert plan["digest"] == digest
    assert "only ada@" in reasons["second_person"]
    refused = desk.do("db", "migrate", "-e", "production", "--apply", digest, code=1)
    assert refused["outcome"] == "refused"
    desk.do("db", "approve", "-e", "production", "0" * 64, code=3, who="grace")
    desk.do("db", "approve", "-e", "production", digest, "--reason", "read it", who="grace")
    shown = desk.do("db", "migrate", "-e", "production", code=1)
    assert (shown["outcome"], shown["digest"]) == ("planned", digest)
    assert {gate["name"] for gate in shown["gates"] if gate["state"] == "refused"} == {"digest"}


@pytest.mark.soak
def test_the_way_of_a_change_into_production(desk: Desk) -> None:
    bring_both_to_the_baseline(desk)
    refuse_what_the_linter_calls_an_error(desk)

    pending = generate_and_lint(desk)

    # staging
    assert desk.do("db", "migrate", "-e", "staging")["outcome"] == "applied"
    _, reasons = desk.plan(shut={"backup", "staging", "rehearsal", "second_person"})
    assert "staging has had them for 0.0 h; the policy wants 24 h" in reasons["staging"]
    desk.policy(soak=0)

    # backup, rehearsal
    backup = desk.do("backup", "run", "-e", "production")
    assert backup["verdict"] == "proved"
    desk.plan(shut={"rehearsal", "second_person"})
    rehearsal = desk.do("db", "rehearse", "-e", "production")
    assert rehearsal["outcome"] == "passed"
    plan, reasons = desk.plan(shut={"second_person"})
    digest = plan["digest"]
    assert rehearsal["id"] in reasons["rehearsal"]
    assert "with an equal schema" in reasons["staging"]

    a_change_by_hand_voids_everything(desk, digest)
    a_second_person_approves_this_digest_and_no_other(desk, digest)

    # production
    words = ("db", "migrate", "-e", "production", "--apply", digest, "--reason", "OPS-1")
    applied = desk.do(*words)
    assert applied["outcome"] == "applied"
    assert applied["applied"] == pending
    assert applied["backup_id"] == backup["id"]
    assert applied["rehearsal_id"] == rehearsal["id"]
    assert applied["override"] is None
    assert applied["predicted_seconds"] is not None
    assert value(desk.production, "SELECT count(*) FROM bounty WHERE note IS NULL") == 0
    told_afterwards(desk, applied)


def told_afterwards(desk: Desk, applied: dict[str, Any]) -> None:
    """What stays: a record in the bucket, and equal schemas side by side."""
    record = desk.do("db", "history", applied["id"], "-e", "production")
    assert record["reason"] == "OPS-1"
    assert record["operator"].startswith("ada@")
    assert record["approvals"][0].startswith("grace@")
    assert len(record["files"]) == 2
    assert record["statements"]
    assert all(one["predicted_seconds"] is not None for one in record["statements"])
    standings = {one["environment"]: one for one in desk.do("db", "status")}
    for name in ("staging", "production"):
        assert standings[name]["pending"] == []
        assert standings[name]["drift"] == "no"
    run(desk.production, "ALTER TABLE bounty ADD COLUMN by_hand int")
    (standing,) = desk.do("db", "status", "-e", "production")
    assert standing["drift"] == "yes"


@pytest.mark.soak
def test_an_emergency_is_recorded_and_a_backup_may_be_taken_on_the_way(desk: Desk) -> None:
    migrate(desk.production)
    write_revision(desk.line, "bounty_0002", "bounty_0001", "CREATE TABLE garden (id int)")
    plan, _ = desk.plan(shut={"backup", "staging", "rehearsal", "second_person"})
    digest = plan["digest"]
    words = ("db", "migrate", "-e", "production", "--apply", digest, "--backup-first")
    desk.do("db", "migrate", "-e", "production", "--apply", digest, "--override", " ", code=2)
    refused = desk.do(*words, code=1)
    assert refused["outcome"] == "refused"  # and no backup was taken for it in vain
    journal = Journal(ObjectStore(load_settings().require_object_store()))
    assert journal.summaries("production") == []

    applied = desk.do(*words, "--override", "the site is down")
    assert applied["override"] == {
        "reason": "the site is down",
        "gates": ["staging", "rehearsal", "second_person"],
    }
    (backup,) = journal.summaries("production")
    assert backup.verdict == "proved"
    assert applied["backup_id"] == backup.id
