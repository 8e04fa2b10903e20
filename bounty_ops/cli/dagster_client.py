"""Drive a running Dagster over HTTP, as its own user interface does; Dagster is not imported."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from bounty_ops.cli import dagster_queries as queries
from bounty_ops.errors import BountyOpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIMEOUT_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.25
_FINISHED: Final = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
# The answer is JSON from Dagster, checked where it is taken apart.
_Answer = dict[str, Any]


class DagsterError(BountyOpsError):
    """Dagster does not answer, or refuses what it was asked."""


@dataclass(frozen=True)
class Job:
    """A job and where Dagster keeps it."""

    name: str
    repository: str
    location: str


@dataclass(frozen=True)
class Run:
    """A finished run."""

    run_id: str
    job: str
    status: str
    queued_seconds: float
    seconds: float

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.status == "SUCCESS"


class DagsterClient:
    """One Dagster webserver at an address such as ``http://127.0.0.1:3000``."""

    #: A webserver that was quicker than the code server looks again by itself every second. Being
    #: told to look costs a new code server, three seconds of a processor: only if it has given up.
    reload_seconds = 15.0

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        # A proxy that the variables name must not be asked for the loopback address.
        self._open = build_opener(ProxyHandler({})).open

    def jobs(self, *, patience_seconds: float = 120) -> dict[str, Job]:
        """Every job by name; waits while the code location is still being loaded.

        Raises:
            DagsterError: the definitions cannot be loaded, or nobody answers.
        """
        deadline = time.monotonic() + patience_seconds
        reload_at = time.monotonic() + self.reload_seconds
        while True:
            entries = self._ask(queries.LOCATIONS, "workspaceOrError")["locationEntries"]
            early = [entry["name"] for entry in entries if _came_too_early(entry)]
            loaded = entries and all(entry["loadStatus"] == "LOADED" for entry in entries)
            if loaded and not early:
                return {job.name: job for entry in entries for job in _jobs(entry)}
            if time.monotonic() > deadline:
                raise DagsterError(
                    f"Dagster did not load the definitions within {patience_seconds:.0f} s",
                    hint="Look into the logs in .bounty-ops/logs, then run the command again.",
                )
            if early and time.monotonic() > reload_at:
                reload_at = time.monotonic() + self.reload_seconds
                for name in early:
                    self._ask(queries.RELOAD, "reloadRepositoryLocation", {"name": name})
            time.sleep(_POLL_SECONDS)

    def launch(
        self, job: Job, *, config: Mapping[str, object] | None = None, tags: Mapping[str, str]
    ) -> str:
        """Ask for a run; returns its id.

        Raises:
            DagsterError: Dagster refuses the job or its configuration.
        """
        parameters = {
            "selector": {
                "jobName": job.name,
                "repositoryName": job.repository,
                "repositoryLocationName": job.location,
            },
            "runConfigData": json.dumps(config or {}),
            "executionMetadata": {
                "tags": [{"key": name, "value": value} for name, value in tags.items()]
            },
        }
        answer = self._ask(queries.LAUNCH, "launchRun", {"params": parameters})
        return str(answer["run"]["runId"])

    def wait(self, run_id: str, job: str, *, watch: Callable[[str], None] | None = None) -> Run:
        """Wait for the end of a run, however it ends; `watch` hears every status.

        Raises:
            DagsterError: Dagster does not answer any more.
        """
        while True:
            answer = self._ask(queries.RUN, "runOrError", {"runId": run_id})
            if watch is not None:
                watch(answer["status"])
            if answer["status"] in _FINISHED:
                return _run(run_id, job, answer)
            time.sleep(_POLL_SECONDS)

    def failure(self, run_id: str) -> str:
        """Why a run failed, in the words of what failed."""
        cursor: str | None = None
        said: list[str] = []
        while True:
            page = self._ask(queries.FAILURES, "logsForRun", {"runId": run_id, "cursor": cursor})
            said += [words for event in page["events"] if (words := _words(event))]
            if not page["hasMore"]:
                # The step knows the cause; the run only knows that a step failed.
                return said[0] if said else "Dagster recorded no reason"
            cursor = page["cursor"]

    def finished(self, run_id: str) -> bool:
        """Whether a run has ended, however."""
        answer = self._ask(queries.RUN, "runOrError", {"runId": run_id})
        return answer["status"] in _FINISHED

    def cancel(self, run_id: str) -> None:
        """Ask a run to stop."""
        self._ask(queries.TERMINATE, "terminateRun", {"runId": run_id, "policy": "SAFE_TERMINATE"})

    def bury_orphans(self, *, before: float) -> None:
        """Mark runs as cancelled whose processes died with an earlier stack; free their slots.

        Otherwise they stay "started" for ever, and the next run waits for a slot of its pool that
        nobody will give back.

        Args:
            before: when this stack was started; what has moved since is alive.
        """
        wanted = {"statuses": ["STARTING", "STARTED", "CANCELING"], "updatedBefore": before}
        answer = self._ask(queries.RUNS, "runsOrError", {"filter": wanted})
        for run in answer["results"]:
            self._ask(
                queries.TERMINATE,
                "terminateRun",
                {"runId": run["runId"], "policy": "MARK_AS_CANCELED_IMMEDIATELY"},
            )
            self._send(queries.FREE_SLOTS, {"runId": run["runId"]})

    def _ask(
        self, query: str, field: str, variables: Mapping[str, object] | None = None
    ) -> _Answer:
        """One field's answer, where it is not one of Dagster's errors."""
        answer: _Answer = self._send(query, variables)[field]
        kind = str(answer["__typename"])
        if "errors" in answer or "message" in answer:
            errors = answer.get("errors") or [answer]
            text = "; ".join(str(error.get("message", kind)) for error in errors)
            raise DagsterError(
                f"Dagster refused: {text.strip()}",
                hint="Look at the definitions in the UI (bounty-ops up), then run it again.",
            )
        return answer

    def _send(self, query: str, variables: Mapping[str, object] | None) -> _Answer:
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        request = Request(  # noqa: S310 - the address is our own stack's, http on loopback
            f"{self.address}/graphql", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with self._open(request, timeout=_TIMEOUT_SECONDS) as response:
                answer: _Answer = json.load(response)
        except HTTPError as error:
            text = error.read().decode(errors="replace")
            raise DagsterError(
                f"Dagster at {self.address} answered {error.code}: {text[:500]}",
                hint="Is another program behind that port? Stop it, or restart `bounty-ops up`.",
            ) from error
        except (URLError, OSError, ValueError) as error:
            raise DagsterError(
                f"Dagster at {self.address} does not answer: {error}",
                hint="Look into the logs in .bounty-ops/logs, then run the command again.",
            ) from error
        if "errors" in answer:
            raise DagsterError(
                f"Dagster did not understand: {answer['errors'][0].get('message')}",
                hint="Install the versions of dagster that requirements.lock names.",
            )
        data: _Answer = answer["data"]
        return data


def _came_too_early(entry: _Answer) -> bool:
    """Whether the webserver looked before the code server listened."""
    location = entry["locationOrLoadError"] or {}
    return "DagsterUserCodeUnreachableError" in str(location.get("message", ""))


def _jobs(entry: _Answer) -> list[Job]:
    location = entry["locationOrLoadError"]
    if location["__typename"] == "PythonError":
        raise DagsterError(
            f"the definitions cannot be loaded: {location['message'].strip()}",
            hint="Run `python -c 'import bounty_ops.definitions'` to see where it happens.",
        )
    return [
        Job(job["name"], repository["name"], entry["name"])
        for repository in location["repositories"]
        for job in repository["jobs"]
    ]


def _run(run_id: str, job: str, answer: _Answer) -> Run:
    created, started, ended = (answer[k] for k in ("creationTime", "startTime", "endTime"))
    begun = started or ended or created
    return Run(
        run_id,
        job,
        answer["status"],
        queued_seconds=max(0.0, begun - created),
        seconds=max(0.0, (ended or begun) - begun),
    )


def _words(event: _Answer) -> str | None:
    """What a failure event says; the cause's own words come before Dagster's about them."""
    if event["__typename"] == "ExecutionStepFailureEvent":
        metadata = event.get("failureMetadata") or {}
        error = event.get("error") or {}
        chain = [link["error"]["message"] for link in error.get("errorChain") or ()]
        return str(metadata.get("description") or (chain or [error.get("message", "")])[-1]).strip()
    if event["__typename"] == "RunFailureEvent":
        error = event.get("error") or {}
        return str(error.get("message") or event["message"]).strip()
    return None
