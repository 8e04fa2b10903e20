"""Looking at tables: search, filters, order, pages, and references in both directions."""

from __future__ import annotations

import dataclasses
import re
import secrets
from html import unescape
from typing import TYPE_CHECKING

from bounty_ops.studio import browse
from bounty_ops.studio.window import WINDOW
from bounty_ops_tests.studio.conftest import address_of, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.studio.conftest import Visitor


def keys(page: str, table: str) -> list[str]:
    """The keys of the rows of a list, in their order."""
    return re.findall(rf'/{table}/details/([^"]+)"', page)


def links(page: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'href="([^"]+)"', page)]


def test_rows_are_found(reader: Visitor) -> None:
    visitor = reader

    first = visitor.get("/bounty/list")
    assert len(keys(first.text, "bounty")) == 50
    assert "of 121 items" in first.text
    last = visitor.get("/bounty/list", page="3")
    assert len(keys(last.text, "bounty")) == 21
    everywhere = [
        one for page in "123" for one in keys(visitor.get("/bounty/list", page=page).text, "bounty")
    ]
    assert len(set(everywhere)) == 121

    found = visitor.get("/bounty/list", search="ODD <b>")
    assert keys(found.text, "bounty") == [address_of("odd/key?#%")]
    assert "<b>one</b>" not in found.text, "what a row holds is never markup"
    assert keys(visitor.get("/bounty/list", search="100%").text, "bounty") == []

    state = {"where.status": "open"}
    assert "of 40 items" in visitor.get("/bounty/list", **state).text
    dear = {"where.amount": "149", "where.amount_op": "greater_than"}
    assert keys(visitor.get("/bounty/list", **dear).text, "bounty") == ["b120"]
    ordered = visitor.get("/bounty/list", sortBy="amount", sort="desc", pageSize="25")
    assert keys(ordered.text, "bounty")[:2] == ["b120", "b119"]
    # A column that is called as a part of an address.
    assert keys(visitor.get("/garden.plant/list", **{"where.page": "p"}).text, "garden.plant")


def test_a_filter_that_makes_no_sense_is_said(reader: Visitor) -> None:
    visitor = reader
    wrong = visitor.get("/bounty/list", **{"where.amount": "much"})
    assert wrong.status == 400
    assert "amount cannot be" in wrong.text
    assert visitor.get("/bounty/list", **{"where.title": "x", "where.title_op": "!"}).status == 400
    assert visitor.get("/bounty/list", sortBy="nothing").status == 400
    assert visitor.get("/nothing/list").status == 404
    assert visitor.get("/garden.plant/details/one").status == 404
    assert visitor.get("/garden.bed/details/1").status == 404
    for closed in ("/bounty/export/csv", "/login", "/bounty/b1/title/download/"):
        assert visitor.get(closed).status == 404, closed


def test_references_lead_there_and_back(reader: Visitor) -> None:
    visitor = reader
    origin = visitor.session.origin

    def follow(page: str, ending: str) -> str:
        there = next(link for link in links(page) if link.endswith(ending))
        reply = visitor.raw("GET", there.removeprefix(origin))
        assert reply.status == 200
        return reply.text

    bounty = visitor.get("/bounty/details/b1").text
    user = follow(bounty, "/user/list?where.id=u2&where.id_op=equals")
    assert keys(user, "user") == ["u2"]
    person = visitor.get("/user/details/u2").text
    theirs = follow(person, "/bounty/list?where.created_by_id=u2&where.created_by_id_op=equals")
    assert "b1" in keys(theirs, "bounty")
    assert len(keys(theirs, "bounty")) == 18
    # A reference by two columns, both ways.
    plant = visitor.get("/garden.plant/details/1").text
    bed = "where.row_no=1&where.row_no_op=equals&where.place=2&where.place_op=equals"
    assert keys(follow(plant, f"/garden.bed/list?{bed}"), "garden.bed") == ["1%3B2"]
    assert keys(
        follow(visitor.get("/garden.bed/details/1;2").text, f"/garden.plant/list?{bed}"),
        "garden.plant",
    )
    assert "u1" in visitor.get(f"/bounty/details/{address_of('odd/key?#%')}").text


def test_a_table_without_a_key_is_to_look_at_only(reader: Visitor) -> None:
    visitor = reader
    page = visitor.get("/keyless/list")
    found = keys(page.text, "keyless")
    assert found == ["%280%2C1%29", "%280%2C2%29"]
    assert ">two<" in visitor.get(f"/keyless/details/{found[1]}").text.replace("\n", "").replace(
        " ", ""
    )
    home = visitor.get("/").text
    assert "garden.bed" in home
    assert "no primary key" in home


def test_pages_hold_on_a_large_table_until_it_goes_away(
    filled: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    execute(
        filled,
        "CREATE TABLE many (id bigint PRIMARY KEY, word text); "
        f"INSERT INTO many SELECT n, 'w' || n FROM generate_series(1, {2 * WINDOW + 7}) n",
    )
    visitor = serve(filled)
    first = visitor.get("/many/list", pageSize="250")
    assert f"the {WINDOW:,} that have pages" in first.text
    last = visitor.get("/many/list", pageSize="250", page=str(WINDOW // 250))
    assert keys(last.text, "many")[-1] == str(WINDOW)
    onwards = next(link for link in links(last.text) if "after=" in link)
    second = visitor.raw("GET", onwards.removeprefix(visitor.session.origin)).text
    assert keys(second, "many")[0] == str(WINDOW + 1)
    end = visitor.get("/many/list", after=str(2 * WINDOW))
    assert keys(end.text, "many") == [str(2 * WINDOW + n) for n in range(1, 8)]

    assert visitor.get("/bounty/list").status == 200
    execute(filled.with_database("postgres"), f'DROP DATABASE "{filled.database}" WITH (FORCE)')
    for path in ("/bounty/list", "/", "/bounty/details/b1"):
        gone = visitor.get(path)
        assert gone.status == 503, path
        assert filled.address() in gone.text
        assert "Try again" in gone.text
        assert filled.password is not None
        assert filled.password not in gone.text
    asked = visitor.post("/query", {"sql": "SELECT 1"})
    assert "does not exist" in asked.text


def test_an_order_goes_on_beyond_the_window(
    empty: DatabaseUrl, serve: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal values, and those that are NULL, are neither left out nor told twice."""
    monkeypatch.setattr(browse, "WINDOW", 100)
    execute(
        empty,
        "CREATE TABLE many (id integer PRIMARY KEY, grade integer, at timestamptz); "
        "INSERT INTO many SELECT n, NULLIF(n % 7, 0), '2026-01-01'::timestamptz + n % 5 * "
        "interval '1 microsecond' FROM generate_series(1, 260) n; ANALYZE many",
    )
    visitor = serve(empty)
    for column, way in (("grade", "asc"), ("grade", "desc"), ("at", "desc"), ("id", "asc")):
        expected = [
            str(row[0])
            for row in execute(empty, f"SELECT id FROM many ORDER BY {column} {way}, id")
        ]
        there = f"{visitor.session.path}/many/list?sortBy={column}&sort={way}&pageSize=50"
        found: list[str] = []
        while there:
            page = visitor.raw("GET", there.removeprefix(visitor.session.origin)).text
            found += keys(page, "many")
            onwards = re.search(r'href="([^"]+)">Go on after the last one', page)
            following = re.search(r'href="([^"]+)">\s*next', page)
            goal = onwards or following
            there = unescape(goal[1]) if goal and goal[1] != "#" else ""
        assert found == expected, (column, way)
    first = visitor.get("/many/list").text
    assert "of more than 100 items" in first
    assert "has about 260" in first
    # What an address says of another order is of no account.
    other = visitor.get("/many/list", sortBy="grade", sort="asc", after="259", afterOrder="at:asc")
    assert keys(other.text, "many")[0] == expected[0]
    gone = {"sortBy": "grade", "sort": "asc", "afterOrder": "grade:asc"}
    assert visitor.get("/many/list", after="999", **gone).status == 404
    assert visitor.get("/many/list", after="x", **gone).status == 404


def test_rows_that_cannot_be_counted_in_time_are_shown(
    empty: DatabaseUrl, serve: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "COUNT_MILLISECONDS", 1)
    role = f"plain_{secrets.token_hex(4)}"
    execute(
        empty,
        "CREATE TABLE slow (id integer PRIMARY KEY); "
        "INSERT INTO slow SELECT generate_series(1, 90); "
        "CREATE FUNCTION slowly(integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS "
        "$$ BEGIN PERFORM pg_sleep(0.005); RETURN true; END $$; "
        "ALTER TABLE slow ENABLE ROW LEVEL SECURITY; "
        "ALTER TABLE slow FORCE ROW LEVEL SECURITY; "
        "CREATE POLICY p ON slow USING (slowly(id)); "
        f"CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT SELECT ON slow TO {role}",
    )
    try:
        visitor = serve(dataclasses.replace(empty, user=role, password="pw"))
        first = visitor.get("/slow/list").text
        assert len(keys(first, "slow")) == 50
        assert "were not counted" in first
        assert "of more than 51 items" in first
        last = visitor.get("/slow/list", page="2").text
        assert keys(last, "slow")[-1] == "90"
        assert "of 90 items" in last
    finally:
        execute(empty, f"DROP OWNED BY {role}; DROP ROLE {role}")
