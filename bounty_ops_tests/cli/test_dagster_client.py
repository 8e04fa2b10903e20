"""Talking to something behind a port that may be Dagster, may be broken, or may be a stranger."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.cli.dagster_client import DagsterClient, DagsterError, Job
from bounty_ops.embedded import ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JOB = Job("development_nightly", "__repository__", "bounty-ops")


class _Server(HTTPServer):
    """Answers every request with the next of its answers, and remembers what it was asked."""

    answers: list[tuple[int, str]]
    asked: list[dict[str, Any]]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(json.loads(body))
        status, text = self.server.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[Callable[..., tuple[DagsterClient, _Server]]]:
    """``answering({...}, {...})``: a client whose server gives these answers, one a request."""
    servers: list[tuple[_Server, threading.Thread]] = []

    def start(*answers: object, status: int = 200) -> tuple[DagsterClient, _Server]:
        server = _Server(("127.0.0.1", 0), _Handler)
        server.answers = [(status, a if isinstance(a, str) else json.dumps(a)) for a in answers]
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return DagsterClient(f"http://127.0.0.1:{server.server_port}"), server

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def test_nobody_there_is_an_error_that_names_the_address() -> None:
    port = ports.choose(1)[0]
    with pytest.raises(DagsterError, match=f"127.0.0.1:{port} does not answer") as caught:
        DagsterClient(f"http://127.0.0.1:{port}").jobs()
    assert "logs" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "answer"), [(404, "<html>nginx</html>"), (200, "<html>something</html>")]
)
def test_a_stranger_behind_the_port_is_an_error(
    answering: Callable[..., tuple[DagsterClient, _Server]], status: int, answer: str
) -> None:
    client, _ = answering(answer, status=status)
    with pytest.raises(DagsterError):
        client.jobs()


def test_it_waits_until_the_definitions_are_loaded(
    answering: Callable[..., tuple[DagsterClient, _Server]],
) -> None:
    loading = {"name": "bounty-ops", "loadStatus": "LOADING", "locationOrLoadError": None}
    loaded = {
        "name": "bounty-ops",
        "loadStatus": "LOADED",
        "locationOrLoadError": {
            "__typename": "RepositoryLocation",
            "repositories": [{"name": "__repository__", "jobs": [{"name": JOB.name}]}],
        },
    }
    client, server = answering(
        *(
            {"data": {"workspaceOrError": {"__typename": "Workspace", "locationEntries": entries}}}
            for entries in ([], [loading], [loaded])
        )
    )
    assert client.jobs() == {JOB.name: JOB}
    assert len(server.asked) == 3


def test_a_webserver_that_has_given_up_on_a_late_code_server_is_told_to_look_again(
    answering: Callable[..., tuple[DagsterClient, _Server]],
) -> None:
    def workspace(location: dict[str, Any]) -> dict[str, Any]:
        entry = {"name": "bounty-ops", "loadStatus": "LOADED", "locationOrLoadError": location}
        return {"data": {"workspaceOrError": {"__typename": "W", "locationEntries": [entry]}}}

    unreachable = "dagster._core.errors.DagsterUserCodeUnreachableError: Could not reach"
    client, server = answering(
        workspace({"__typename": "PythonError", "message": unreachable}),
        {"data": {"reloadRepositoryLocation": {"__typename": "WorkspaceLocationEntry"}}},
        workspace({"__typename": "RepositoryLocation", "repositories": []}),
    )
    client.reload_seconds = -1
    assert client.jobs() == {}
    assert server.asked[1]["variables"] == {"name": "bounty-ops"}


def test_definitions_that_cannot_be_loaded_say_why(
    answering: Callable[..., tuple[DagsterClient, _Server]],
) -> None:
    entry = {
        "name": "bounty-ops",
        "loadStatus": "LOADED",
        "locationOrLoadError": {"__typename": "PythonError", "message": "No module named 'x'\n"},
    }
    workspace = {"__typename": "Workspace", "locationEntries": [entry]}
    client, _ = answering({"data": {"workspaceOrError": workspace}})
    with pytest.raises(DagsterError, match="No module named 'x'"):
        client.jobs()


def test_a_wrong_configuration_is_told_in_dagsters_words(
    answering: Callable[..., tuple[DagsterClient, _Server]],
) -> None:
    refused = {
        "__typename": "RunConfigValidationInvalid",
        "errors": [{"message": "no field `aply`"}, {"message": "missing `apply`"}],
    }
    client, server = answering({"data": {"launchRun": refused}})
    with pytest.raises(DagsterError, match="no field `aply`; missing `apply`"):
        client.launch(JOB, config={"aply": "head"}, tags={})
    [asked] = server.asked
    assert json.loads(asked["variables"]["params"]["runConfigData"]) == {"aply": "head"}


def test_a_failure_is_told_in_the_words_of_the_step_and_not_of_the_run(
    answering: Callable[..., tuple[DagsterClient, _Server]],
) -> None:
    def page(events: list[dict[str, Any]], *, more: bool) -> dict[str, Any]:
        connection = {"__typename": "EventConnection", "cursor": "c", "hasMore": more}
        return {"data": {"logsForRun": {**connection, "events": events}}}

    step = {
        "__typename": "ExecutionStepFailureEvent",
        "failureMetadata": {"description": "nobody answers at db:5432\nStart the server."},
        "error": {"message": "dagster.Failure", "errorChain": []},
    }
    run = {"__typename": "RunFailureEvent", "message": "Steps failed", "error": None}
    other = {"__typename": "RunStartEvent", "message": "Started"}
    client, server = answering(page([other], more=True), page([step, run], more=False))
    assert client.failure("r") == "nobody answers at db:5432\nStart the server."
    assert server.asked[1]["variables"]["cursor"] == "c"


def test_a_step_without_a_description_tells_the_root_of_its_error(
    answering: Callable[..., tuple[DagsterClient, _Server]],
) -> None:
    step = {
        "__typename": "ExecutionStepFailureEvent",
        "failureMetadata": None,
        "error": {
            "message": "DagsterExecutionStepExecutionError",
            "errorChain": [{"error": {"message": "ZeroDivisionError: division by zero\n"}}],
        },
    }
    connection = {"__typename": "EventConnection", "cursor": "c", "hasMore": False}
    client, _ = answering({"data": {"logsForRun": {**connection, "events": [step]}}})
    assert client.failure("r") == "ZeroDivisionError: division by zero"


def test_only_runs_that_stopped_moving_before_are_buried_and_their_slots_freed(
    answering: Callable[..., tuple[DagsterClient, _Server]],
) -> None:
    client, server = answering(
        {"data": {"runsOrError": {"__typename": "Runs", "results": [{"runId": "dead"}]}}},
        {"data": {"terminateRun": {"__typename": "TerminateRunSuccess"}}},
        {"data": {"freeConcurrencySlots": True}},
    )
    client.bury_orphans(before=1234.5)
    looked, terminated, freed = (asked["variables"] for asked in server.asked)
    assert looked["filter"]["updatedBefore"] == 1234.5
    assert "QUEUED" not in looked["filter"]["statuses"]
    assert terminated == {"runId": "dead", "policy": "MARK_AS_CANCELED_IMMEDIATELY"}
    assert freed == {"runId": "dead"}
