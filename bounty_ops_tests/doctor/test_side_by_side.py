"""Nobody who does not answer keeps `doctor` from telling the rest."""

from __future__ import annotations

import re
import signal
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from bounty_ops.doctor import CheckResult, State, examine
from bounty_ops.doctor.database import examine_environment
from bounty_ops.doctor.names import CHECKS
from bounty_ops.doctor.result import ok
from bounty_ops.doctor.side_by_side import Examination, side_by_side
from bounty_ops.doctor.store import buckets
from bounty_ops.environments import Environment, Policy, load_settings
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, Settings
    from bounty_ops_tests.fix_command_line import CommandLine

#: Long enough for a thread to begin on a busy machine.
_SOON = 2.0


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Something that lets everybody in and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def with_silent_bucket(
    home: Path, port: int, variables: Mapping[str, str] | None = None
) -> Settings:
    return load_settings(
        home,
        {
            **(variables or {}),
            "BACKUP_BUCKET": "s3://bucket",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "hidden-s3",
        },
    )


def test_one_that_hangs_is_told_as_such_and_the_others_as_they_are() -> None:
    begun, over = threading.Event(), threading.Event()

    def hangs() -> Iterator[CheckResult]:
        yield ok("first", "silent", "so far so good")
        begun.set()
        over.wait()

    def waits_for_the_other() -> Iterator[CheckResult]:
        # Only if both are made at the same time does this one ever answer.
        begun.wait()
        yield ok("only", "sound", "well")

    found = list(
        side_by_side(
            [
                Examination("silent", ("first", "reachable", "more"), hangs, decisive="reachable"),
                Examination("sound", ("only",), waits_for_the_other),
            ],
            within_seconds=_SOON,
        )
    )
    over.set()
    assert [(each.subject, each.name, each.state) for each in found] == [
        ("silent", "first", State.OK),
        ("silent", "reachable", State.FAILED),
        ("silent", "more", State.UNKNOWN),
        ("sound", "only", State.OK),
    ]
    assert all("no answer within 2 s" in each.cause and each.remedy for each in found[1:3])


def test_an_answer_is_told_before_the_next_is_known() -> None:
    heard = threading.Event()

    def answers() -> Iterator[CheckResult]:
        yield ok("first", "it", "well")
        heard.wait()
        yield ok("second", "it", "well")

    coming = side_by_side([Examination("it", ("first", "second"), answers)], within_seconds=60)
    assert next(coming).name == "first"
    heard.set()
    assert [each.name for each in coming] == ["second"]


def test_a_defect_is_no_finding() -> None:
    def broken() -> Iterator[CheckResult]:
        yield ok("first", "it", "well")
        message = "a defect"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="a defect"):
        list(side_by_side([Examination("it", ("first",), broken)], within_seconds=60))


def test_a_bucket_that_swallows_packets_is_not_waited_for(tmp_path: Path, silent_port: int) -> None:
    answers = buckets(with_silent_bucket(tmp_path, silent_port))["bucket"]
    asked = Examination("bucket", tuple(CHECKS["a bucket"]), answers, decisive="reachable")
    found = {each.name: each for each in side_by_side([asked], within_seconds=_SOON)}
    assert set(found) == set(CHECKS["a bucket"])
    assert found.pop("reachable").state is State.FAILED
    assert {each.state for each in found.values()} == {State.UNKNOWN}
    assert "hidden-s3" not in str(found)


@pytest.mark.soak
def test_a_whole_deployment_with_a_bucket_and_a_database_that_never_answer(
    command_line: CommandLine, silent_port: int
) -> None:
    (command_line.home / ".env.staging").write_text(
        f"DATABASE_URL=postgresql://a:hidden-pw@127.0.0.1:{silent_port}/b\n"
    )
    settings = with_silent_bucket(command_line.home, silent_port, command_line.variables)
    found = {(each.subject, each.name): each for each in examine(settings, within_seconds=20)}
    assert found["development", "reachable"].state is State.OK
    assert found["development", "revision"].state is State.WARNING
    assert found["operations database", "reachable"].state is State.OK
    assert found["Dagster", "versions"].state is State.OK
    assert found["staging", "reachable"].state is State.FAILED
    assert found["bucket", "reachable"].state is State.FAILED
    assert found["bucket", "writing"].state is State.UNKNOWN
    assert "hidden" not in str(found)


@pytest.mark.soak
def test_what_is_known_is_printed_while_others_are_waited_for_and_ctrl_c_ends_it(
    command_line: CommandLine, silent_port: int
) -> None:
    variables = {
        **command_line.variables,
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{silent_port}",
    }
    process = command_line.with_variables(**variables).start("doctor")
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:  # without an end of what is printed, as long as it waits
        seen = line
        if re.match(r"warning +revision +development ", line):
            break
    assert seen.startswith("warning")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130


def test_a_connection_that_is_lost_on_the_way_leaves_every_check_with_one_answer(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    environment = Environment("staging", fresh_database, Policy.of("staging"))
    coming = examine_environment(environment, load_settings(tmp_path, {}))
    found = []
    for each in coming:
        found.append(each)
        if each.name == "reachable":
            with connect(fresh_database, application_name="tests") as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
    names = [each.name for each in found]
    assert len(names) == len(set(names))
    elsewhere = {"encryption key", "alert path", "dead-man's switch"}
    assert set(names) == set(CHECKS["an environment"]) - elsewhere
    states = [each.state for each in found]
    assert states.count(State.FAILED) == 1
    lost = found[states.index(State.FAILED)]
    assert "administrator" in lost.cause
    assert all(each.state is State.UNKNOWN for each in found[states.index(State.FAILED) + 1 :])


def test_what_is_printed_as_it_comes_stands_in_columns(command_line: CommandLine) -> None:
    lines = command_line.run("doctor").stdout.split("\n\n")[0].splitlines()
    title, *rows = lines
    for row in rows:
        for column in ("CHECK", "OF", "WHAT WAS FOUND"):
            place = title.index(column)
            assert row[place - 1] == " ", row
            assert row[place] != " ", row
