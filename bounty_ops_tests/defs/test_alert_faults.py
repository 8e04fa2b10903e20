"""Faults of the default rules: told in time, in the right words, once, and told to be over.

The way is the whole one: what a server, a bucket or Dagster's storage holds, the watcher's sensor
with its own reading of it, rules, incident, outbox, and a real webhook. Only the clock is moved.
"""

from __future__ import annotations

import dataclasses
import secrets
import subprocess
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from bounty_ops.alerting import Rule
from bounty_ops.embedded import ports
from bounty_ops.embedded.cluster import Cluster, running
from bounty_ops.embedded.privileges import server_user
from bounty_ops.environments import BucketLocation
from bounty_ops.migrating import migrate_ops
from bounty_ops.object_store.client import make_client
from bounty_ops.postgres.connect import connect, engine
from bounty_ops_tests.alerting.conftest import Webhook
from bounty_ops_tests.alerting.faults import ALL, Fault
from bounty_ops_tests.alerting.faults.place import MINUTE, Place
from bounty_ops_tests.alerting.faults.table import drawn
from bounty_ops_tests.defs.conftest import PROJECT
from bounty_ops_tests.fix_servers import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    import dagster as dg

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops.postgres.programs import Programs

_STATISTICS = {
    "shared_preload_libraries": "pg_stat_statements",
    "shared_buffers": "1MB",
    "wal_level": "logical",
}
_LAST_LOOK = timedelta(seconds=1)


@pytest.fixture(scope="session")
def operations_url(pg_server: DatabaseUrl) -> Iterator[DatabaseUrl]:
    """An operations database for all faults; each is of an environment of its own."""
    url = pg_server.with_database(f"test_faults_{secrets.token_hex(4)}")
    _create(url)
    migrate_ops(url)
    yield url
    with connect(pg_server, application_name="tests") as connection:
        name = sql.Identifier(url.database)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _create(url: DatabaseUrl) -> None:
    with connect(url.with_database("postgres"), application_name="tests") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(url.database)))


class Servers:
    """Servers of the session that only some faults need, started when they are."""

    def __init__(self, factory: pytest.TempPathFactory, programs: Programs) -> None:
        self.stack = ExitStack()
        self._factory = factory
        self._programs = programs

    @cached_property
    def statistics(self) -> DatabaseUrl:
        """One with little cache that counts statements."""
        directory = self._factory.mktemp("statistics")
        return self.stack.enter_context(running_server(self._programs, directory, _STATISTICS))

    @cached_property
    def pair(self) -> tuple[DatabaseUrl, DatabaseUrl]:
        """A primary server and a standby that follows it."""
        directory = self._factory.mktemp("primary")
        primary = self.stack.enter_context(running_server(self._programs, directory))
        user, directory = server_user(), self._factory.mktemp("standby")
        place = user.place(directory)
        program = user.programs_directory(self._programs.directory) / "pg_basebackup"
        subprocess.run(
            user.command([
                str(program), "--host", primary.host, "--port", str(primary.port),
                "--username", primary.user, "--pgdata", str(place / "data"), "--no-sync",
                "--write-recovery-conf", "--checkpoint=fast",
            ]),
            env={"PGPASSWORD": primary.password or ""},
            cwd="/",
            check=True,
        )  # fmt: skip
        settings = {
            "listen_addresses": ports.LOOPBACK,
            "unix_socket_directories": "",
            "wal_receiver_status_interval": "1",
            "port": str(ports.choose(1)[0]),
        }
        cluster = Cluster(
            self._programs, user, place / "data", directory, directory / "server.log",
            lambda: settings, password=primary.password, remove=(place,),
        )  # fmt: skip
        self.stack.enter_context(running(cluster))
        return primary, dataclasses.replace(primary, port=int(settings["port"]))


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, pg_programs: Programs) -> Iterator[Servers]:
    made = Servers(tmp_path_factory, pg_programs)
    with made.stack:
        yield made


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with closing(Webhook()) as made:
        yield made


@pytest.fixture
def place(  # noqa: PLR0917 - fixtures have to be asked for by name
    instance: dg.DagsterInstance,
    operations_url: DatabaseUrl,
    make_database: Callable[..., DatabaseUrl],
    s3_prefix: ObjectStoreSettings,
    servers: Servers,
    webhook: Webhook,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    """An environment with nothing wrong, whose channel is a webhook."""

    def database(server: DatabaseUrl | None = None) -> DatabaseUrl:
        if server is None:
            return make_database()
        url = server.with_database(f"test_{secrets.token_hex(6)}")
        _create(url)
        return url

    def bucket(*, locks: bool) -> ObjectStoreSettings:
        name = f"faults-{secrets.token_hex(6)}"
        make_client(s3_prefix).create_bucket(Bucket=name, ObjectLockEnabledForBucket=locks)
        return dataclasses.replace(s3_prefix, location=BucketLocation(name, "here"))

    variables = {
        "OPS_DATABASE_URL": operations_url.text(),
        "BACKUP_BUCKET": s3_prefix.location.uri(),
        "AWS_ENDPOINT_URL_S3": s3_prefix.endpoint_url or "",
        "AWS_REGION": s3_prefix.region or "",
        "AWS_ACCESS_KEY_ID": s3_prefix.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": s3_prefix.secret_access_key or "",
        "ALERT_URL": webhook.document_url,
    }
    monkeypatch.setenv("BOUNTY_OPS_HOME", str(tmp_path))
    operations = engine(operations_url, application_name="tests")
    made = Place(
        tmp_path, f"e{secrets.token_hex(4)}", make_database(), operations, webhook, instance,
        variables, lambda: servers.statistics, lambda: servers.pair, database, bucket,
        datetime.now(UTC),
    )  # fmt: skip
    with closing(made):
        yield made


def test_every_rule_has_a_fault() -> None:
    assert {fault.rule for fault in ALL} == set(Rule)
    assert len({fault.name for fault in ALL}) == len(ALL)


def test_the_page_on_alerts_lists_them() -> None:
    page = (PROJECT / "docs" / "reference" / "alerts.md").read_text(encoding="utf-8")
    assert drawn(ALL) in page


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
@pytest.mark.many(every=11)
def test_a_fault_is_told_in_time_and_told_to_be_over(fault: Fault, place: Place) -> None:
    place.prepare(fault)
    with closing(fault.story(place)) as story:
        _goes_its_way(fault, place, story)


def _goes_its_way(fault: Fault, place: Place, story: Generator[None, None, None]) -> None:
    next(story)
    place.look()
    assert place.states(fault.rule) <= {"resolved"}
    settings = place.settings_of(fault.rule)
    lasts = settings.for_
    if fault.grave and settings.critical_for is not None:
        lasts = settings.critical_for

    next(story)
    if settings.severity == "info":
        _is_recorded(fault, place, lasts)
    else:
        _is_told(fault, place, lasts)

    next(story, None)
    _is_over(fault, place, settings.keep_firing_for, told=settings.severity != "info")


def _is_told(fault: Fault, place: Place, lasts: timedelta) -> None:
    """One message, not before its time and not after it."""
    if lasts:
        place.look()
        place.passes(lasts - _LAST_LOOK)
        place.look()
        assert place.told(fault.rule) == []
        place.passes(_LAST_LOOK)
    found = place.look()
    messages = place.told(fault.rule)
    assert len(messages) == 1, found
    (message,) = messages
    assert message["change"] == "firing"
    assert message["severity"] == ("critical" if fault.grave else "warning")
    assert message["title"].startswith(f"[{place.name}] ")
    text = f"{message['title']}\n{message['body']}"
    for word in (*fault.words, "\nDo: "):
        assert word in text
    for word in fault.unsaid:
        assert word not in text
    place.passes(MINUTE)
    place.look()
    assert place.told(fault.rule) == []


def _is_recorded(fault: Fault, place: Place, lasts: timedelta) -> None:
    """An incident, and no message."""
    found = place.look()
    for _ in range(2 if lasts else 0):  # counters are compared with those of 20 minutes ago at most
        place.passes(lasts / 2)
        found = place.look()
    assert place.states(fault.rule) == {"firing"}, found
    title, body = place.said(fault.rule)
    for word in (*fault.words, "\nDo: "):
        assert word in f"{title}\n{body}"
    assert place.told(fault.rule) == []


def _is_over(fault: Fault, place: Place, lasts: timedelta, *, told: bool) -> None:
    place.passes(MINUTE)
    if fault.lingers or lasts:
        place.look()
        place.passes(fault.lingers)
        place.look()
        place.passes(lasts)
    found = place.look()
    messages = place.told(fault.rule)
    assert [message["change"] for message in messages] == (["resolved"] if told else []), found
    if told:
        (message,) = messages
        assert message["title"].startswith(f"Resolved: [{place.name}] ")
    if fault.rule is not Rule.OPERATIONS_UNREACHABLE:  # which is recorded nowhere
        assert place.states(fault.rule) == {"resolved"}
