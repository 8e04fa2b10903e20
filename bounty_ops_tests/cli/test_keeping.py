"""`backup prune`, `pin`, `unpin` and `copy`: as an operator meets them, with two real buckets."""

from __future__ import annotations

import dataclasses
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import BucketLocation
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import rebuild
from bounty_ops.journal.records import Verdict
from bounty_ops.migrating import migrate_ops
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import engine
from bounty_ops_tests.backup.test_prune import judge
from bounty_ops_tests.cli.documented import documented_fields
from bounty_ops_tests.fix_backups import value
from bounty_ops_tests.journal.examples import a_backup

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops.journal.records import Manifest
    from bounty_ops_tests.fix_command_line import CommandLine
    from bounty_ops_tests.fix_proxy import Fault, FaultyStore, Request

RULES = "[defaults]\nkeep_last = 2\nkeep_manual_days = 0\nprune_most_share = 0.7\n"


@pytest.fixture
def journal(s3_prefix: ObjectStoreSettings) -> Journal:
    return Journal(ObjectStore(s3_prefix))


@pytest.fixture
def copies(s3_prefix: ObjectStoreSettings) -> Journal:
    location = BucketLocation("copies-of-tests", s3_prefix.location.prefix)
    store = ObjectStore(dataclasses.replace(s3_prefix, location=location))
    store.create_bucket_if_missing()
    return Journal(store)


@pytest.fixture
def operator(command_line: CommandLine, copies: Journal) -> CommandLine:
    """A command line with a second bucket and rules that keep two."""
    (command_line.home / "bounty_ops.toml").write_text(RULES, encoding="utf-8")
    first = command_line.variables
    return command_line.with_variables(
        BACKUP_COPY_BUCKET=copies.store.location.uri(),
        BACKUP_COPY_ENDPOINT_URL=first["AWS_ENDPOINT_URL_S3"],
        BACKUP_COPY_REGION=first["AWS_REGION"],
        BACKUP_COPY_ACCESS_KEY_ID=first["AWS_ACCESS_KEY_ID"],
        BACKUP_COPY_SECRET_ACCESS_KEY=first["AWS_SECRET_ACCESS_KEY"],
    )


def nights(journal: Journal, count: int) -> list[Manifest]:
    """Proved backups of the last nights, newest first."""
    made = []
    for days in range(count):
        moment = datetime.now(UTC) - timedelta(days=days, hours=1)
        manifest = a_backup(journal, environment="development", taken_at=moment, finished_at=moment)
        judge(journal, manifest, Verdict.PROVED)
        made.append(manifest)
    return made


def listed(journal: Journal) -> list[str]:
    return [one.id for one in journal.summaries("development")]


def test_a_plan_is_shown_and_its_digest_carries_it_out(
    operator: CommandLine, journal: Journal
) -> None:
    made = [manifest.id for manifest in nights(journal, 4)]
    ops = operator.variables["OPS_DATABASE_URL"]
    _rebuild(ops, journal)

    shown = operator.run("backup", "prune")
    assert (shown.code, shown.stderr) == (0, "")
    assert "2 of 4 to delete" in shown.stdout
    planned = operator.run("backup", "prune", "--json")
    assert set(planned.document) == documented_fields("backup prune")
    assert planned.document["outcome"] == "planned"
    assert [one["id"] for one in planned.document["delete"]] == made[2:]
    digest = planned.document["digest"]
    assert f"--apply {digest}" in shown.stdout
    assert listed(journal) == made

    done = operator.run("backup", "prune", "--apply", digest, "--json")
    assert done.code == 0, done.stderr
    assert set(done.document) == documented_fields("backup prune")
    assert done.document["deleted"] == [made[3], made[2]]
    assert listed(journal) == made[:2]
    count = "SELECT count(*) || ' ' || (SELECT count(*) FROM bounty_ops.verification) "
    url = operator.database.parse(ops)
    assert value(url, f"{count} FROM bounty_ops.backup") == "2 2", "the catalogue follows"

    again = operator.run("backup", "prune", "--apply", digest)
    assert again.code == 3
    assert "another digest" in again.error_lines[0]
    assert operator.run("backup", "prune", "--json").document["outcome"] == "nothing_to_do"


def _rebuild(ops: str, journal: Journal) -> None:
    from bounty_ops.environments import DatabaseUrl  # noqa: PLC0415 - needed here only

    url = DatabaseUrl.parse(ops)
    migrate_ops(url)
    rebuild(journal, engine(url, application_name="tests"))


@pytest.mark.soak
def test_a_refused_plan_has_an_exit_code_and_a_way_on(
    operator: CommandLine, journal: Journal
) -> None:
    nights(journal, 8)
    refused = operator.run("backup", "prune", "--json")
    assert (refused.code, refused.document["outcome"]) == (1, "refused")
    assert "6 of 8" in refused.document["refused"]
    digest = refused.document["digest"]
    not_done = operator.run("backup", "prune", "--apply", digest)
    assert not_done.code == 3
    assert "--most-share" in not_done.error_lines[1]
    assert len(listed(journal)) == 8
    allowed = operator.run("backup", "prune", "--most-share", "0.8", "--apply", digest)
    assert allowed.code == 0, allowed.stderr
    assert len(listed(journal)) == 2


def test_a_pinned_backup_stays_until_it_is_unpinned(
    operator: CommandLine, journal: Journal
) -> None:
    made = nights(journal, 3)
    pinned = operator.run("backup", "pin", made[2].id, "--reason", "audit", "--json")
    assert set(pinned.document) == documented_fields("backup pin` and `backup unpin")
    assert (pinned.document["pinned"], pinned.document["changed"]) == (True, True)
    assert operator.run("backup", "pin", made[2].id, "--json").document["reason"] == "audit"
    assert operator.run("backup", "list", "--json").document[2]["pinned"] is True
    assert operator.run("backup", "prune", "--json").document["delete"] == []
    unpinned = operator.run("backup", "unpin", made[2].id, "--json").document
    assert (unpinned["pinned"], unpinned["changed"]) == (False, True)
    assert operator.run("backup", "unpin", made[2].id, "--json").document["changed"] is False
    [gone] = operator.run("backup", "prune", "--json").document["delete"]
    assert gone["id"] == made[2].id


@pytest.mark.soak
def test_copies_are_made_listed_and_pruned_by_the_same_rules(
    operator: CommandLine, journal: Journal, copies: Journal
) -> None:
    made = nights(journal, 4)
    copied = operator.run("backup", "copy", "--json")
    assert copied.code == 0, copied.stderr
    assert set(copied.document) == documented_fields("backup copy") - {
        "id", "sent_bytes", "checked_bytes", "proofs", "was_complete"
    }  # fmt: skip
    assert [one["id"] for one in copied.document["copied"]] == [made[0].id, made[1].id]
    assert listed(copies) == [made[0].id, made[1].id]

    [standing] = operator.run("status", "--json").document
    assert standing["second_bucket"] == copies.store.location.uri()
    assert standing["last_copy"]["backup_id"] == made[0].id
    away = operator.with_variables(BACKUP_COPY_BUCKET="s3://no-such-bucket-here")
    [standing] = away.run("status", "--json").document
    assert "no such bucket" in standing["second_bucket_problem"]
    assert standing["last_proof"]["backup_id"] == made[0].id, "the first one is known all the same"

    old = operator.run("backup", "copy", made[3].id, "--json").document["copied"]
    assert [one["sent_bytes"] for one in old] == [made[3].size_bytes]
    both = operator.run("backup", "list", "--copies", "--json").document
    assert [one["copy"] and one["copy"]["verdict"] for one in both] == [
        "proved", "proved", None, "proved"
    ]  # fmt: skip
    assert len(operator.run("backup", "list", "--from-copy", "--json").document) == 3

    plan = operator.run("backup", "prune", "--copies", "--json").document
    assert [one["id"] for one in plan["delete"]] == [made[3].id]
    operator.run("backup", "pin", made[3].id)
    assert operator.run("backup", "prune", "--copies", "--json").document["delete"] == []
    operator.run("backup", "unpin", made[3].id)
    done = operator.run("backup", "prune", "--copies", "--apply", plan["digest"], "--json")
    assert done.document["deleted"] == [made[3].id]
    assert len(listed(journal)) == 4, "the first bucket is another plan"


@pytest.mark.parametrize(
    "words", [("copy",), ("list", "--copies"), ("list", "--from-copy"), ("prune", "--copies")]
)
@pytest.mark.soak
def test_a_second_bucket_that_is_away_or_not_set_is_two_lines(
    operator: CommandLine, journal: Journal, words: tuple[str, ...]
) -> None:
    nights(journal, 1)
    gone = operator.with_variables(BACKUP_COPY_BUCKET="s3://no-such-bucket-here")
    outcome = gone.run("backup", *words)
    assert (outcome.code, outcome.stdout, len(outcome.error_lines)) == (3, "", 2)
    assert "BACKUP_COPY_BUCKET" in outcome.error_lines[1]
    unset = operator.with_variables(BACKUP_COPY_BUCKET="")
    outcome = unset.run("backup", *words)
    assert (outcome.code, len(outcome.error_lines)) == (2, 2)
    assert "Set BACKUP_COPY_BUCKET" in outcome.error_lines[1]


def test_copies_are_not_pruned_while_the_first_bucket_is_away(
    operator: CommandLine, copies: Journal
) -> None:
    nights(copies, 4)
    gone = operator.with_variables(BACKUP_BUCKET="s3://no-such-bucket-here")
    outcome = gone.run("backup", "prune", "--copies")
    assert (outcome.code, len(listed(copies))) == (3, 4)
    assert operator.run("backup", "prune", "--copies", "--json").document["outcome"] == "planned"


def test_rules_that_cannot_be_read_delete_nothing(operator: CommandLine, journal: Journal) -> None:
    nights(journal, 4)
    digest = operator.run("backup", "prune", "--json").document["digest"]
    (operator.home / "bounty_ops.toml").write_text("[defaults]\nkeep_lots = 1\n", encoding="utf-8")
    for words in ((), ("--apply", digest)):
        outcome = operator.run("backup", "prune", *words)
        assert outcome.code == 2
        assert "bounty_ops.toml" in outcome.error_lines[0]
    assert len(listed(journal)) == 4


def test_no_rule_is_said_and_how_to_set_one(operator: CommandLine, journal: Journal) -> None:
    nights(journal, 4)
    (operator.home / "bounty_ops.toml").unlink()
    outcome = operator.run("backup", "prune")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert "set keep_daily" in outcome.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("pin",),
        ("pin", "nonsense"),
        ("pin", "../production/x"),
        ("unpin", "20261122T020000Z-1a2b3c4d"),
        ("copy", "20261122T020000Z-1a2b3c4d"),
        ("prune", "--most-share", "0"),
        ("prune", "--most-share", "many"),
        ("list", "--copies", "--from-copy"),
    ],
)
@pytest.mark.many(every=3)
def test_wrong_input_is_exit_code_2_and_two_lines(
    operator: CommandLine, words: tuple[str, ...]
) -> None:
    outcome = operator.run("backup", *words)
    assert (outcome.code, outcome.stdout, len(outcome.error_lines)) == (2, "", 2)


@pytest.mark.soak
@pytest.mark.parametrize("command", ["prune", "copy"])
def test_ctrl_c_half_way_leaves_whole_backups_and_the_next_run_finishes(
    operator: CommandLine,
    faulty_s3: Callable[[Callable[[Request], Fault | None]], FaultyStore],
    command: str,
) -> None:
    """The signal arrives at a certain request of the work, which then waits until it has."""
    arrived = []
    mark = {"prune": "delete", "copy": "get"}[command]

    def interrupt(request: Request) -> None:
        if process and request.operation == mark:
            arrived.append(request)
            if len(arrived) == 9:
                process[0].send_signal(signal.SIGINT)

    process: list[subprocess.Popen[str]] = []
    faulty = faulty_s3(interrupt)
    journal = Journal(faulty.honest)
    through = operator.with_variables(
        BACKUP_BUCKET=faulty.settings.location.uri(),
        AWS_ENDPOINT_URL_S3=faulty.settings.endpoint_url or "",
    )
    made = nights(journal, 6)
    words = ["backup", command]
    if command == "prune":
        plan = operator.with_variables(BACKUP_BUCKET=faulty.settings.location.uri())
        shown = plan.run("backup", "prune", "--json").document
        words += ["--apply", shown["digest"]]
    process.append(through.start(*words))
    stdout, stderr = process[0].communicate(timeout=60)
    assert process[0].returncode == 130, (stdout, stderr)
    assert stdout == ""
    assert {line.split(":")[0] for line in stderr.splitlines()} <= {"warning", "error", "hint"}
    states = {one.state for one in journal.summaries("development")}
    assert states == {"complete"}
    assert {made[0].id, made[1].id} <= set(listed(journal))
