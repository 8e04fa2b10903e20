"""Changing rows: only what was changed, never unseen, never without a record."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bounty_ops.environments import BucketLocation
from bounty_ops.studio.access import Access
from bounty_ops.studio.database import opened
from bounty_ops_tests.studio.conftest import execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops_tests.studio.conftest import Fields, Reply, Visitor

SAVE: Fields = {"save": "Save"}


def remove(visitor: Visitor, table: str, key: str) -> Reply:
    """What the button of a row's deletion sends."""
    there = f"{visitor.session.path}/{table}/delete?pks={key}"
    return visitor.raw("DELETE", there, headers={"Origin": visitor.session.origin})


def test_what_was_changed_is_changed_and_recorded(
    filled: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    visitor = serve(filled)
    for table, key in (("bounty", "b1"), ("user", "u1"), ("garden.plant", "1")):
        versions = 'SELECT xmin FROM "{}"'.format(table.replace(".", '"."'))
        before = execute(filled, versions)
        as_it_is = visitor.form_of(f"/{table}/edit/{key}") | SAVE
        assert visitor.post(f"/{table}/edit/{key}", as_it_is).status == 302
        assert execute(filled, versions) == before, "what was not changed is not written"
    assert visitor.edits() == []

    form = visitor.form_of("/user/edit/u1") | {"name": "Ada", "handle": "a-secret"} | SAVE
    assert visitor.post("/user/edit/u1", form).status == 302
    [(name, handle, created)] = execute(
        filled, "SELECT name, handle, created_at::text FROM \"user\" WHERE id = 'u1'"
    )
    assert (name, handle, created) == ("Ada", "a-secret", "2026-01-01 10:00:00.123456")
    [record] = visitor.edits()
    assert (record.operation, record.table, record.key) == ("update", "public.user", {"id": "u1"})
    assert record.columns == ("name", "handle")
    assert record.operator == "ada@desk"
    assert "a-secret" not in record.model_dump_json()

    emptied = visitor.form_of("/user/edit/u1") | {"handle": ""} | SAVE
    assert visitor.post("/user/edit/u1", emptied).status == 302
    assert execute(filled, "SELECT handle FROM \"user\" WHERE id = 'u1'") == [(None,)]


def test_rows_come_and_go(filled: DatabaseUrl, serve: Callable[..., Visitor]) -> None:
    visitor = serve(filled)
    wanted = {"title": "T", "description": "D", "amount": "12.50", "created_by_id": "u1"}
    new = visitor.form_of("/bounty/create") | wanted | SAVE
    added = visitor.post("/bounty/create", new)
    assert added.status == 302, added.text
    [(key, currency)] = execute(filled, "SELECT id, currency FROM bounty WHERE title = 'T'")
    assert currency == "USD"
    stranger = visitor.post("/bounty/create", new | {"created_by_id": "nobody"})
    assert stranger.status == 400
    assert "foreign key" in stranger.text

    removed = remove(visitor, "bounty", str(key))
    assert removed.status == 200
    assert "error=" not in removed.text
    assert execute(filled, f"SELECT 1 FROM bounty WHERE id = '{key}'") == []
    insert, delete = visitor.edits()
    assert (insert.operation, insert.key) == ("insert", {"id": key})
    assert set(insert.columns) >= {"title", "description", "amount", "created_by_id"}
    assert (delete.operation, delete.key, delete.columns) == ("delete", {"id": key}, ())


def test_a_protected_environment_is_read_only_down_to_the_session(reader: Visitor) -> None:
    page = reader.get("/user/list").text
    assert "(protected)" in page
    assert "read only" in page
    assert "/user/edit/" not in page
    assert reader.get("/user/edit/u1").status == 403
    assert reader.post("/user/edit/u1", {"name": "x"} | SAVE).status == 403
    assert reader.post("/user/create", {"name": "x"} | SAVE).status == 403
    assert remove(reader, "user", "u1").status == 403
    access = Access("development", True, False, "ada@desk", reader.url.address())
    with opened(reader.url, access, None) as database:
        assert database.editing is None
        for statement in ("DELETE FROM keyless", "SET TRANSACTION READ WRITE"):
            with database.reading() as session:
                session.execute(text("SELECT 1"))
                with pytest.raises(DBAPIError, match=r"read-only|read-write"):
                    session.execute(text(statement))
        with database.reading() as session:
            assert session.execute(text("SHOW default_transaction_read_only")).scalar() == "on"


def test_changes_come_from_its_own_pages(
    filled: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    visitor = serve(filled)
    form = visitor.form_of("/user/edit/u1") | {"name": "Mallory"} | SAVE
    port = visitor.session.host.partition(":")[2]

    for origin in ("https://evil.example", "null", f"http://localhost:{port}"):
        assert visitor.post("/user/edit/u1", form, Origin=origin).status == 403, origin
    foreign = visitor.post("/user/edit/u1", form, **{"Sec-Fetch-Site": "cross-site"})
    assert foreign.status == 403
    assert visitor.raw("DELETE", f"{visitor.session.path}/user/delete?pks=u1").status == 403
    assert visitor.get("/user/delete", pks="u1").status in {404, 405}
    assert "Mallory" not in visitor.get("/user/details/u1").text
    # Where a row has no key, nothing says which one is meant.
    assert visitor.get("/keyless/edit/%280%2C1%29").status == 403
    assert visitor.get("/keyless/create").status == 403

    form = visitor.form_of("/user/edit/u1") | {"name": "Ada"} | SAVE
    execute(filled, "UPDATE \"user\" SET email = 'new@example.com' WHERE id = 'u1'")
    refused = visitor.post("/user/edit/u1", form)
    assert refused.status == 400
    assert "somebody else changed this row" in refused.text
    assert execute(filled, "SELECT name, email FROM \"user\" WHERE id = 'u1'") == [
        ("User 1", "new@example.com")
    ]
    key = visitor.form_of("/user/edit/u1") | {"id": "u999"} | SAVE
    assert "is the key" in visitor.post("/user/edit/u1", key).text
    assert visitor.edits() == []


def test_without_a_record_nothing_is_changed(
    filled: DatabaseUrl, serve: Callable[..., Visitor], s3_prefix: ObjectStoreSettings
) -> None:
    nowhere = BucketLocation("not-there", s3_prefix.location.prefix)
    visitor = serve(filled, bucket=dataclasses.replace(s3_prefix, location=nowhere))
    form = visitor.form_of("/user/edit/u1") | {"name": "Ada"} | SAVE
    refused = visitor.post("/user/edit/u1", form)
    assert refused.status == 400
    assert "Nothing was changed" in refused.text
    assert execute(filled, "SELECT name FROM \"user\" WHERE id = 'u1'") == [("User 1",)]


@pytest.mark.soak
def test_a_commit_that_fails_takes_its_record_back(
    filled: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    execute(
        filled,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'not on a Sunday'; END $$; "
        'CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON "user" DEFERRABLE INITIALLY DEFERRED '
        "FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    visitor = serve(filled)
    form = visitor.form_of("/user/edit/u1") | {"name": "Ada"} | SAVE
    refused = visitor.post("/user/edit/u1", form)
    assert refused.status == 400
    assert "not on a Sunday" in refused.text
    first, second = visitor.edits()
    assert first.takes_back is None
    assert second.takes_back == first.id
