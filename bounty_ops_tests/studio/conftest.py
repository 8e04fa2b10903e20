"""A studio that serves, and a browser of few words.

==========  =========  ===================================================================
``empty``   function   `DatabaseUrl` of an empty database
``filled``  function   `DatabaseUrl` of a database with Bounty's tables and some others
``serve``   function   ``serve(url)`` -> `Visitor` of a studio that may edit, let in
``reader``  function   `Visitor` of a studio that is read only, of a protected environment;
                       the same for all tests of a major version
==========  =========  ===================================================================

A test with one of them runs on one major version, and in a soak on every one.
"""

from __future__ import annotations

import http.client
import json
import secrets
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import psycopg
import pytest

from bounty_ops.journal.edits import EditRecord, read_edits
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import engine
from bounty_ops.schema.bounty import Base
from bounty_ops.studio.access import Access
from bounty_ops.studio.application import application
from bounty_ops.studio.database import opened
from bounty_ops.studio.guard import Session
from bounty_ops.studio.recording import Recorder
from bounty_ops.studio.serving import listening, origin_of, server_of
from bounty_ops_tests.fix_servers import all_server_majors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from _pytest.mark import ParameterSet

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings

ROWS = """
INSERT INTO "user" (id, name, email, created_at, updated_at)
  SELECT 'u' || n, 'User ' || n, n || '@example.com',
         '2026-01-01 10:00:00.123456', '2026-01-01 10:00:00.123456'
  FROM generate_series(1, 60) n;
INSERT INTO bounty (id, title, description, amount, status, created_by_id, tags)
  SELECT 'b' || n, 'Bounty ' || n, 'line one' || chr(10) || 'line two', n * 1.25,
         CASE WHEN n % 3 = 0 THEN 'open' ELSE 'draft' END::bounty_status, 'u' || (1 + n % 7),
         ARRAY['a', 'b']
  FROM generate_series(1, 120) n;
INSERT INTO bounty (id, title, description, amount, created_by_id)
  VALUES ('odd/key?#%', 'Odd <b>one</b>', '', 1, 'u1');
INSERT INTO account (id, account_id, provider_id, user_id, access_token, refresh_token, password)
  VALUES ('a1', 'gh-4711', 'github', 'u1', 'gho_planted', NULL, 'hash_planted'),
         ('a2', 'gh-4712', 'github', 'u2', 'gho_planted2', 'ghr_planted', NULL);
CREATE TABLE keyless (word text);
INSERT INTO keyless VALUES ('one'), ('two');
CREATE SCHEMA garden;
CREATE TABLE garden.bed (row_no integer, place integer, grows text, PRIMARY KEY (row_no, place));
INSERT INTO garden.bed VALUES (1, 1, 'beans'), (1, 2, '=1+1');
CREATE TABLE garden.plant (id serial PRIMARY KEY, row_no integer, place integer, weight float8,
  page text, FOREIGN KEY (row_no, place) REFERENCES garden.bed);
INSERT INTO garden.plant (row_no, place, weight, page) VALUES (1, 2, 0.5, 'p');
ANALYZE;
"""


#: The one that the stack embeds.
_USUAL_MAJOR = 17

Fields = dict[str, str | list[str]]


class _Form(HTMLParser):
    """What a browser would send of the forms of a page, but for their buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: Fields = {}
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name, kind = found.get("name", ""), found.get("type", "")
        if (
            tag == "input"
            and name
            and kind != "submit"
            and (kind, "checked" in found) != ("checkbox", False)
        ):
            self.fields[name] = found.get("value", "")
        elif tag == "select" and "data-json" in found:  # which a script turns into options
            self.fields[name] = json.loads(found["data-json"])
        elif tag == "select":
            self._inside = name
        elif tag == "textarea":
            self._inside = name
            self.fields[name] = ""
        elif tag == "option" and ("selected" in found or self._inside not in self.fields):
            self.fields[self._inside] = found.get("value", "")  # without a chosen one the first

    def handle_data(self, data: str) -> None:
        if self._inside and self.lasttag == "textarea":
            text = data.removeprefix("\r\n").removeprefix("\n")
            self.fields[self._inside] = text.replace("\n", "\r\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"select", "textarea"}:
            self._inside = ""


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    text: str


@dataclass
class Visitor:
    """Something that speaks HTTP to a studio, like a browser that has been let in."""

    session: Session
    store: ObjectStore
    url: DatabaseUrl
    cookie: str = ""
    more: dict[str, str] = field(default_factory=dict)

    def enter(self) -> None:
        reply = self.raw("GET", self.session.entrance.removeprefix(self.session.origin))
        assert reply.status == 200
        self.cookie = reply.headers["set-cookie"].partition(";")[0]

    def get(self, path: str, **query: str) -> Reply:
        return self.raw("GET", f"{self.session.path}{path}?{urlencode(query)}")

    def post(self, path: str, form: Mapping[str, str | list[str]], **headers: str) -> Reply:
        return self.raw(
            "POST",
            self.session.path + path,
            urlencode(form, doseq=True),
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": self.session.origin,
                **headers,
            },
        )

    def raw(
        self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> Reply:
        connection = http.client.HTTPConnection(self.session.host, timeout=60)
        sent = {"Cookie": self.cookie, **self.more, **(headers or {})}
        connection.request(method, path, body.encode() or None, sent)
        answer = connection.getresponse()
        reply = Reply(answer.status, answer.headers, answer.read().decode())
        connection.close()
        return reply

    def form_of(self, path: str) -> Fields:
        """The fields of an edit form as a browser would send them back."""
        page = self.get(path)
        assert page.status == 200, page.text
        form = _Form()
        form.feed(page.text)
        return form.fields

    def edits(self) -> list[EditRecord]:
        return read_edits(self.store, "development")


def execute(url: DatabaseUrl, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def _fill(url: DatabaseUrl) -> None:
    made = engine(url, application_name="tests")
    Base.metadata.create_all(made)
    execute(url, ROWS)


def _majors() -> list[ParameterSet]:
    return [
        pytest.param(major, marks=[] if major == _USUAL_MAJOR else [pytest.mark.soak])
        for major in all_server_majors()
    ]


@pytest.fixture(params=_majors())
def major(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


@pytest.fixture
def empty(make_database: Callable[..., DatabaseUrl], major: int) -> DatabaseUrl:
    return make_database(major)


@pytest.fixture
def filled(empty: DatabaseUrl) -> DatabaseUrl:
    _fill(empty)
    return empty


@pytest.fixture
def serve(s3_prefix: ObjectStoreSettings) -> Iterator[Callable[..., Visitor]]:
    with ExitStack() as stack:

        def start(
            url: DatabaseUrl,
            *,
            bucket: ObjectStoreSettings = s3_prefix,
            shows_secrets: bool = False,
        ) -> Visitor:
            return _start(stack, url, bucket, may_edit=True, shows_secrets=shows_secrets)

        yield start


@pytest.fixture(scope="session")
def _readers(
    pg_server_of: Callable[[int], DatabaseUrl], s3_store: ObjectStoreSettings
) -> Iterator[Callable[[int], Visitor]]:
    found: dict[int, Visitor] = {}
    with ExitStack() as stack:

        def reader_of(major: int) -> Visitor:
            if major not in found:
                server = pg_server_of(major)
                url = server.with_database(f"test_{secrets.token_hex(6)}")
                execute(server, f'CREATE DATABASE "{url.database}"')
                stack.callback(execute, server, f'DROP DATABASE "{url.database}" WITH (FORCE)')
                _fill(url)
                found[major] = _start(stack, url, s3_store, may_edit=False)
            return found[major]

        yield reader_of


@pytest.fixture
def reader(_readers: Callable[[int], Visitor], major: int) -> Visitor:
    return _readers(major)


def _start(
    stack: ExitStack,
    url: DatabaseUrl,
    bucket: ObjectStoreSettings,
    *,
    may_edit: bool,
    shows_secrets: bool = False,
) -> Visitor:
    access = Access("development", not may_edit, may_edit, "ada@desk", url.address(), shows_secrets)
    store = ObjectStore(bucket)
    listener = stack.enter_context(listening(0))
    database = stack.enter_context(
        opened(url, access, Recorder(store, access) if may_edit else None)
    )
    session = Session(origin_of(listener))
    server = server_of(application(database, session))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    stack.callback(thread.join)
    stack.callback(setattr, server, "should_exit", True)
    visitor = Visitor(session, store, url)
    visitor.enter()
    return visitor


def address_of(key: str) -> str:
    return quote(key, safe="")
