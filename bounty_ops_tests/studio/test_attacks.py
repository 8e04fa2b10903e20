"""What stored values, addresses and other people do to the studio's pages, and do not."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest

from bounty_ops_tests.studio.conftest import address_of, execute
from bounty_ops_tests.studio.test_browse import keys
from bounty_ops_tests.studio.test_editing import SAVE, remove

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.studio.conftest import Visitor

MARKUP = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{7*7}}"


def test_what_is_stored_is_never_markup(empty: DatabaseUrl, serve: Callable[..., Visitor]) -> None:
    with psycopg.connect(**empty.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute(
            'CREATE TABLE "<b>t</b>" (id text PRIMARY KEY, "<i>c</i>" text, '
            'parent text REFERENCES "<b>t</b>", doc jsonb, tags text[])'
        )
        connection.execute(
            'INSERT INTO "<b>t</b>" VALUES (%s, %s, %s, %s, %s)',
            [MARKUP, MARKUP, MARKUP, json.dumps({MARKUP: MARKUP}), [MARKUP]],
        )
    visitor = serve(empty)
    table = "_b_t__b_"
    there = address_of(MARKUP)
    pages = [
        visitor.get("/"),
        visitor.get(f"/{table}/list"),
        visitor.get(f"/{table}/list", search=MARKUP, **{"where.id": MARKUP}),
        visitor.get(f"/{table}/list", sortBy=MARKUP),
        visitor.get(f"/{table}/list", error=MARKUP, after=MARKUP),
        visitor.get(f"/{table}/details/{there}"),
        visitor.get(f"/{table}/edit/{there}"),
        visitor.get(f"/{table}/details/{address_of('x' + MARKUP)}"),
        visitor.get("/diagram", table=MARKUP),
        visitor.post("/query", {"sql": 'TABLE "<b>t</b>"'}),
        visitor.post(
            "/query", {"sql": f"SELECT '{MARKUP.replace(chr(39), chr(39) * 2)}' AS \"<u>\""}
        ),
        visitor.post("/query", {"sql": f"SELECT {MARKUP}"}),
    ]
    for page in pages:
        for live in ("<img src=x", "<script>alert", "<b>t</b>", "<i>c</i>", "<u>", "49\"'"):
            assert live not in page.text, live
    assert [page.status for page in pages] == [200, 200, 200, 400, 200, 200, 200, 404, 404, 200,
                                               200, 400]  # fmt: skip


def test_a_row_is_removed_by_its_own_key_alone(
    empty: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    """A key with a comma in it is not two keys."""
    odd = ["a,b", "a#b", "a&pks=b", "a%2Cb", "a+b", "a b", "ä/b?"]
    execute(empty, "CREATE TABLE t (id text PRIMARY KEY); INSERT INTO t VALUES ('a'), ('b')")
    for key in odd:
        execute(empty, f"INSERT INTO t VALUES ('{key}')")
    visitor = serve(empty)
    page = visitor.get("/t/list").text
    for key in odd:
        button = page.split(f'value="{quote(quote(key, safe=""), safe="")}"')
        assert len(button) == 2, key
        there = button[1].partition('data-url="')[2].partition('"')[0]
        path = there.removeprefix(visitor.session.origin)
        gone = visitor.raw("DELETE", path, headers={"Origin": visitor.session.origin})
        assert "error=" not in gone.text
        assert execute(empty, f"SELECT 1 FROM t WHERE id = '{key}'") == [], key
    assert execute(empty, "SELECT id FROM t ORDER BY id") == [("a",), ("b",)]
    # Several at once, as the script puts them together: all of them, or none.
    refused = remove(visitor, "t", "a,nobody,b")
    assert "error=Nothing" in refused.text
    assert len(execute(empty, "SELECT 1 FROM t")) == 2
    assert "error=" not in remove(visitor, "t", "a,b").text
    assert execute(empty, "SELECT 1 FROM t") == []
    assert remove(visitor, "t", "").status == 200


def test_an_address_that_makes_no_sense_is_an_answer(reader: Visitor) -> None:
    visitor = reader
    nul, large = "a\0b", "9" * 60
    for path, query in (
        ("/bounty/list", {"search": nul}),
        ("/bounty/list", {"where.title": nul}),
        ("/bounty/list", {"where.created_at": "yesterday"}),
        ("/bounty/list", {"where.nothing": "1"}),
        ("/bounty/list", {"where.title_op": "equals", "where.nothing_op": "equals"}),
        ("/bounty/list", {"page": "x"}),
        ("/bounty/list", {"page": "9" * 5000}),
        ("/bounty/list", {"sortBy": "title; DROP TABLE bounty"}),
        ("/bounty/list", {"sortBy": "nothing", "after": "b1", "afterOrder": "nothing:asc"}),
        (f"/bounty/details/{address_of(nul)}", {}),
        ("/garden.plant/details/x", {}),
        (f"/garden.plant/details/{large}", {}),
        ("/garden.bed/details/1;2;3", {}),
        ("/keyless/details/%28nowhere%29", {}),
        ("/bounty/details/", {}),
        ("/garden.plant/list", {"where.row_no": large}),
    ):
        answer = visitor.get(path, **query)
        assert answer.status in {400, 404}, (path, query, answer.status)
        assert "Traceback" not in answer.text
    for path, query in (
        ("/bounty/list", {"page": large}),
        ("/bounty/list", {"page": "-1", "pageSize": large}),
        ("/bounty/list", {"where.title": "'; DROP TABLE bounty; --", "search": "%' OR '1'='1"}),
        ("/bounty/list", {"where.title": "\\", "search": "\\_%"}),
    ):
        assert visitor.get(path, **query).status in {200, 302}, (path, query)
    assert "of 121 items" in visitor.get("/bounty/list").text
    nul_asked = visitor.post("/query", {"sql": "SELECT 1\0; DELETE FROM keyless"})
    assert nul_asked.status in {200, 400}
    assert len(execute(visitor.url, "TABLE keyless")) == 2


def test_large_and_odd_values_break_no_page(
    empty: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    execute(
        empty,
        "CREATE TABLE odd (id integer PRIMARY KEY, note text, doc jsonb, raw bytea, "
        "at timestamptz, day date, span interval, tags text[], many integer[][], x xml, "
        "n numeric); "
        "INSERT INTO odd SELECT n, repeat('x', 3000000), "
        "jsonb_build_object('k', repeat('y', 200000)), decode(repeat('ff', 300000), 'hex'), "
        "'infinity', '4000-01-01 BC', '1 mon', ARRAY['a'], '{{1,2},{3,4}}', '<a/>', 'NaN' "
        "FROM generate_series(1, 60) n",
    )
    visitor = serve(empty)
    listed = visitor.get("/odd/list")
    assert listed.status == 200
    assert len(listed.text) < 300_000
    detail = visitor.get("/odd/details/1")
    assert "x" * 100_000 + "…" in detail.text
    assert len(detail.text) < 600_000
    for page in (listed, detail):
        for words in ("infinity", "4000-01-01 BC", "1 mon", r"\xfff", "NaN", "{{1,2},{3,4}}"):
            assert words in page.text, words
    form = visitor.form_of("/odd/edit/1") | {"n": "1.50"} | SAVE
    form.pop("note")  # three megabytes; a browser sends them, and is told that this is too much
    saved = visitor.post("/odd/edit/1", {**form, "note": "short"})
    assert saved.status == 302, saved.text
    assert execute(
        empty, "SELECT note, n::text, at::text, day::text, span::text FROM odd WHERE id = 1"
    ) == [("short", "1.50", "infinity", "4000-01-01 BC", "1 mon")]
    [record] = visitor.edits()
    assert record.columns == ("note", "n")


@pytest.mark.soak
def test_json_is_given_back_as_it_was(empty: DatabaseUrl, serve: Callable[..., Visitor]) -> None:
    execute(
        empty,
        "CREATE TABLE t (id integer PRIMARY KEY, word text, doc jsonb); INSERT INTO t VALUES "
        "(1, 'a', NULL), (2, 'b', '[]'), (3, 'c', 'false'), (4, 'd', '{\"ä\": [1, null, 2.5]}'), "
        "(5, '', '0')",
    )
    before = execute(empty, "SELECT id, doc::text FROM t ORDER BY id")
    visitor = serve(empty)
    for key, shown in (("1", ""), ("2", "[]"), ("3", "false"), ("5", "0")):
        assert visitor.form_of(f"/t/edit/{key}")["doc"] == shown
    for key in "12345":
        form = visitor.form_of(f"/t/edit/{key}") | {"word": "w"} | SAVE
        assert visitor.post(f"/t/edit/{key}", form).status == 302
    assert execute(empty, "SELECT id, doc::text FROM t ORDER BY id") == before
    wrong = visitor.form_of("/t/edit/4") | {"doc": "{"} | SAVE
    assert visitor.post("/t/edit/4", wrong).status == 400
    for written, stored in (('{"a": [true]}', '{"a": [true]}'), ("", None), ("[]", "[]")):
        form = visitor.form_of("/t/edit/4") | {"doc": written} | SAVE
        assert visitor.post("/t/edit/4", form).status == 302
        assert execute(empty, "SELECT doc::text FROM t WHERE id = 4") == [(stored,)]


def test_an_edit_that_the_database_refuses_says_why(
    filled: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    execute(
        filled,
        "ALTER TABLE account ADD CONSTRAINT short CHECK (length(scope) < 5); "
        "INSERT INTO bounty (id, title, description, amount, created_by_id) "
        "VALUES ('mine', 't', 'd', 1, 'u9')",
    )
    visitor = serve(filled)
    lost = visitor.form_of("/bounty/edit/mine") | {"created_by_id": "nobody"} | SAVE
    refused = visitor.post("/bounty/edit/mine", lost)
    assert refused.status == 400
    assert "foreign key" in refused.text
    long = visitor.form_of("/account/edit/a1") | {"scope": "far too long"} | SAVE
    broken = visitor.post("/account/edit/a1", long)
    assert broken.status == 400
    assert "short" in broken.text
    assert "gho_planted" not in broken.text, "the server's detail quotes the whole row"
    assert "nul" not in execute(filled, "SELECT title FROM bounty WHERE id = 'mine'")[0]
    nul = visitor.form_of("/bounty/edit/mine") | {"title": "a\0b"} | SAVE
    assert visitor.post("/bounty/edit/mine", nul).status == 400
    assert visitor.edits() == []
    assert execute(filled, "SELECT title, created_by_id FROM bounty WHERE id = 'mine'") == [
        ("t", "u9")
    ]


@pytest.mark.soak
def test_of_two_who_save_the_same_row_one_is_told(
    filled: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    visitor = serve(filled)
    forms = [visitor.form_of("/user/edit/u1") | {"name": name} | SAVE for name in ("Ada", "Grace")]
    found: list[int] = []
    savers = [
        threading.Thread(target=lambda form=form: found.append(
            visitor.post("/user/edit/u1", form).status
        ))
        for form in forms
    ]  # fmt: skip
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()
    assert sorted(found) == [302, 400]
    assert len(visitor.edits()) == 1


@pytest.mark.soak
def test_a_row_that_is_locked_is_waited_for_and_then_left(
    filled: DatabaseUrl, serve: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bounty_ops.studio.database.LOCK_MILLISECONDS", 100)
    visitor = serve(filled)
    form = visitor.form_of("/user/edit/u1") | {"name": "Ada"} | SAVE
    with psycopg.connect(**filled.conninfo()) as other:  # type: ignore[arg-type] # all are text
        other.execute("SELECT 1 FROM \"user\" WHERE id = 'u1' FOR UPDATE")
        refused = visitor.post("/user/edit/u1", form)
        assert visitor.get("/user/list").status == 200, "reading waits for nobody"
    assert refused.status == 400
    assert "Nothing was changed" in refused.text
    assert visitor.edits() == []


@pytest.mark.soak
def test_connections_that_the_server_ends_are_made_again(
    filled: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    visitor = serve(filled)
    assert len(keys(visitor.get("/user/list").text, "user")) == 50
    execute(
        filled,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    first = visitor.get("/user/list")
    assert first.status in {200, 503}
    assert visitor.get("/user/list").status == 200
