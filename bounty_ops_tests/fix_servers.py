"""Real servers for tests: PostgreSQL of every major there is, and an S3 store.

============================ ========= =========================================================
``pg_server``                session   superuser's `DatabaseUrl` of a shared PostgreSQL (TCP)
``fresh_database``           function  `DatabaseUrl` of an empty database on it, dropped afterwards
``migrated_database``        function  the same of Bounty's, migrated
``fresh_operations``         function  the same of an operations database, migrated
``make_database``            function  makes more of them: ``make_database()`` -> `DatabaseUrl`
``pg_programs``              session   the programs of `pg_server`
``pg_server_of``             session   ``pg_server_of(major)`` -> superuser's `DatabaseUrl`
``s3_store``                 session   `ObjectStoreSettings` of a shared store (whole bucket)
``s3_prefix``                function  the same with a prefix of its own
============================ ========= =========================================================

Tests that run on every major: ``@pytest.mark.parametrize("major", all_server_majors())``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import secrets
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from bounty_ops.embedded import ports, seaweed
from bounty_ops.embedded.cluster import SUPERUSER, Cluster, running
from bounty_ops.embedded.privileges import server_user
from bounty_ops.embedded.sharing import using
from bounty_ops.environments import (
    BucketLocation,
    DatabaseUrl,
    Environment,
    ObjectStoreSettings,
    Policy,
)
from bounty_ops.migrating import apply_migration, migrate_ops, plan_migration
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import Programs, find_programs, installed_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from _pytest.mark import ParameterSet

_SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    # Each of the many databases would have its turn every minute.
    "autovacuum_naptime": "1d",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


#: The first major version that can be told how to copy a template.
_STRATEGIES = 15


def all_server_majors() -> list[int]:
    """Every major version of PostgreSQL that this machine can start, oldest first."""
    return sorted({programs.major for programs in installed_programs() if programs.has_server})


def oldest_and_newest_major() -> list[ParameterSet]:
    """Every major version, for a parameter; those in between only in a soak."""
    majors = all_server_majors()
    between = [pytest.mark.soak]
    return [
        pytest.param(major, marks=[] if major in {majors[0], majors[-1]} else between)
        for major in majors
    ]


@contextmanager
def running_server(
    programs: Programs,
    directory: Path,
    settings: Mapping[str, str] | None = None,
    *,
    port: int | None = None,
) -> Iterator[DatabaseUrl]:
    """A PostgreSQL on a loopback port with a password, as a real one would ask for."""
    user = server_user()
    port = port or ports.choose(1)[0]
    password = secrets.token_urlsafe(16)
    place = user.place(directory)
    cluster = Cluster(
        programs,
        user,
        place / "data",
        directory,
        directory / "server.log",
        lambda: {**_SETTINGS, **(settings or {}), "port": str(port)},
        password=password,
        remove=(place,),
    )
    url = DatabaseUrl(ports.LOOPBACK, port, "postgres", SUPERUSER, password)
    with running(cluster):
        _make_its_password_cheap(url)
        yield url


def _make_its_password_cheap(url: DatabaseUrl) -> None:
    """Let SCRAM hash the superuser's password once instead of 4,096 times, at both ends.

    That was half of what a connection costs, and the suite makes tens of thousands.
    """
    assert url.password is not None
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", url.password.encode(), salt, 1)
    # RFC 5802, section 3; PostgreSQL takes a secret that was made elsewhere as it is.
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored, server = (
        hashlib.sha256(client_key).digest(),
        hmac.digest(salted, b"Server Key", "sha256"),
    )
    words = [b64encode(each).decode() for each in (salt, stored, server)]
    secret = "SCRAM-SHA-256$1:{}${}:{}".format(*words)
    with connect(url, application_name="tests") as connection:
        connection.execute(sql.SQL("ALTER ROLE postgres PASSWORD {}").format(secret))


@pytest.fixture(scope="session")
def pg_server_of(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[int], DatabaseUrl]]:
    """Start the server of a major once, when first asked for, and keep it for the session."""
    started: dict[int, DatabaseUrl] = {}
    with ExitStack() as stack:

        def server_of(major: int) -> DatabaseUrl:
            if major not in started:
                directory = tmp_path_factory.mktemp(f"pg{major}")
                programs = find_programs(major, server=True)
                started[major] = stack.enter_context(running_server(programs, directory))
            return started[major]

        yield server_of


@pytest.fixture(scope="session")
def pg_programs() -> Programs:
    """The programs of the PostgreSQL that the stack embeds."""
    return find_programs(17, server=True)


@pytest.fixture(scope="session")
def pg_server(pg_server_of: Callable[[int], DatabaseUrl], pg_programs: Programs) -> DatabaseUrl:
    """The superuser's URL of a PostgreSQL that the session shares."""
    return pg_server_of(pg_programs.major)


@pytest.fixture(scope="session")
def _template(pg_server_of: Callable[[int], DatabaseUrl]) -> Callable[[int, str], str]:
    """The name of a database at the newest revision of a line, to be copied.

    Migrating each anew would take a tenth of the time of the suite.
    """

    @cache
    def template_of(major: int, line: str) -> str:
        url = pg_server_of(major).with_database(f"{line}_{secrets.token_hex(4)}")
        _administer(pg_server_of(major), "CREATE DATABASE {}", url.database)
        if line == "ops":
            migrate_ops(url)
        else:
            there = Environment("development", url, Policy())
            apply_migration(plan_migration(there), there, operator="test")
        return url.database

    return template_of


@pytest.fixture
def make_database(
    pg_server_of: Callable[[int], DatabaseUrl],
    pg_programs: Programs,
    _template: Callable[[int, str], str],
) -> Iterator[Callable[..., DatabaseUrl]]:
    """Make databases (``make_database(major=15)``); dropped afterwards, users or not.

    They are empty, or with ``line="ops"`` operations databases and with ``line="bounty"`` Bounty's
    at their newest revision.
    """
    made: list[DatabaseUrl] = []

    def make(major: int | None = None, *, line: str | None = None) -> DatabaseUrl:
        major = major or pg_programs.major
        server = pg_server_of(major)
        url = server.with_database(f"test_{secrets.token_hex(6)}")
        template = "" if line is None else f" TEMPLATE {_template(major, line)}"
        # On servers that write nothing through to disk, copying files takes a third of the time
        # that copying through the WAL does, and there are thousands of these.
        copied = " STRATEGY file_copy" if major >= _STRATEGIES else ""
        _administer(server, f"CREATE DATABASE {{}}{template}{copied}", url.database)
        made.append(url)
        return url

    yield make
    for url in made:
        _administer(
            url.with_database("postgres"), "DROP DATABASE IF EXISTS {} WITH (FORCE)", url.database
        )


def _administer(server: DatabaseUrl, statement: str, name: str) -> None:
    with connect(server, application_name="tests") as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


@pytest.fixture
def fresh_database(make_database: Callable[..., DatabaseUrl]) -> DatabaseUrl:
    """An empty database of this test's own."""
    return make_database()


@pytest.fixture
def migrated_database(make_database: Callable[..., DatabaseUrl]) -> DatabaseUrl:
    """A database of this test's own at the head of Bounty's migrations, without rows."""
    return make_database(line="bounty")


@pytest.fixture
def fresh_operations(make_database: Callable[..., DatabaseUrl]) -> DatabaseUrl:
    """An operations database of this test's own, with nothing in it yet."""
    return make_database(line="ops")


@pytest.fixture(scope="session")
def s3_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStoreSettings]:
    """An S3 store that the session shares; its bucket exists."""
    directory = tmp_path_factory.mktemp("s3")
    chosen = ports.choose(len(seaweed.COMPONENTS), pairs=True)
    store = seaweed.Seaweed(
        directory / "data",
        directory / "weed.log",
        dict(zip(seaweed.COMPONENTS, chosen, strict=True)),
        "test-" + secrets.token_hex(8),
        secrets.token_urlsafe(24),
        memory_limit="1GiB",
    )
    with using(directory, seaweed.NAME, prepare=store.program, wait_ready=store.wait_ready):
        yield store.settings()


@pytest.fixture
def s3_prefix(s3_store: ObjectStoreSettings) -> ObjectStoreSettings:
    """The shared store under a prefix of this test's own."""
    location = BucketLocation(s3_store.location.bucket, f"test-{secrets.token_hex(6)}")
    return dataclasses.replace(s3_store, location=location)
