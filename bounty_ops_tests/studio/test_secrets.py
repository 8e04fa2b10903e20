"""What opens an account is not shown: in lists, rows, forms, searches, answers, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments.masking import Masking
from bounty_ops.errors import UsageError
from bounty_ops.studio.asking import ask
from bounty_ops.studio.secrets import HIDDEN, secrets_of
from bounty_ops_tests.studio.conftest import address_of, execute
from bounty_ops_tests.studio.test_editing import SAVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.studio.conftest import Visitor

BOUNTY = secrets_of(Masking())
PLANTED = ("gho_planted", "ghr_planted", "hash_planted", "gh-4711")


def test_the_rules_of_masking_say_what_is_hidden() -> None:
    for column in ("access_token", "refresh_token", "id_token", "password", "account_id"):
        assert BOUNTY.hides("public", "account", column, holds_text=True), column
    for table, column in (
        ("session", "token"),
        ("verification", "value"),
        ("waitlist", "otp_code"),
    ):
        assert BOUNTY.hides("public", table, column, holds_text=True), column
    for column in ("id", "provider_id", "scope", "user_id"):
        assert not BOUNTY.hides("public", "account", column, holds_text=True), column
    assert not BOUNTY.hides("public", "account", "access_token_expires_at", holds_text=False)
    assert not BOUNTY.hides("public", "bounty", "submission_keyword", holds_text=True)
    for column in ("api_key", "clientSecret", "otp", "passwd", "session_cookie"):
        assert BOUNTY.hides("crm", "contact", column, holds_text=True), column
    for column in ("name", "laptop", "compass", "keyboard"):
        assert not BOUNTY.hides("crm", "contact", column, holds_text=True), column
    own = secrets_of(
        Masking(preset="none", columns={"crm.contact.api_key": "keep", "contact.name": "token"})
    )
    assert not own.hides("crm", "contact", "api_key", holds_text=True)
    assert own.hides("public", "contact", "name", holds_text=True)
    assert not own.hides("public", "user", "stripe_customer_id", holds_text=True)


def test_no_page_of_a_table_shows_them(reader: Visitor) -> None:
    listed = reader.get("/account/list").text
    detail = reader.get("/account/details/a1").text
    for page in (listed, detail):
        assert HIDDEN in page
        assert "github" in page
        for value in PLANTED:
            assert value not in page
    assert "NULL" in detail, "that there is none can be seen"
    # Neither can a value be found out by what fits it, nor by its place in an order.
    assert "No row fits" in reader.get("/account/list", search="gho_").text
    for column in ("access_token", "password"):
        refused = reader.get("/account/list", **{f"where.{column}": "gho_planted"})
        assert refused.status == 400
        assert f"no filter by {column}" in refused.text
        assert reader.get("/account/list", sortBy=column).status == 400
        assert f"sortBy={column}&" not in listed
        assert f'"where.{column}"' not in listed


def test_an_edit_leaves_them_as_they_are(
    filled: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    visitor = serve(filled)
    page = visitor.get("/account/edit/a1")
    assert "left as they are: access_token" in page.text.replace("account_id, ", "")
    form = visitor.form_of("/account/edit/a1")
    assert not {"access_token", "password", "account_id"} & set(form)
    # Sent all the same, they are not taken.
    sent = form | {"scope": "repo", "access_token": "mine", "password": ""} | SAVE
    assert visitor.post("/account/edit/a1", sent).status == 302
    assert execute(
        filled, "SELECT scope, access_token, password, account_id FROM account WHERE id = 'a1'"
    ) == [("repo", "gho_planted", "hash_planted", "gh-4711")]
    assert [record.columns for record in visitor.edits()] == [("scope",)]

    new = visitor.form_of("/account/create") | {
        "id": "a3", "account_id": "gh-1", "provider_id": "github", "user_id": "u3",
        "access_token": "gho_new",
    }  # fmt: skip
    added = visitor.post("/account/create", new | SAVE)
    assert added.status == 302, added.text
    assert execute(filled, "SELECT account_id, access_token FROM account WHERE id = 'a3'") == [
        ("gh-1", "gho_new")
    ]
    assert "gho_new" not in visitor.get("/account/details/a3").text


def test_they_are_shown_when_that_was_asked_for(
    filled: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    visitor = serve(filled, shows_secrets=True)
    page = visitor.get("/account/details/a1").text
    assert "gho_planted" in page
    assert "SECRETS ARE SHOWN" in page
    assert "gho_planted" in visitor.post("/query", {"sql": "TABLE account"}).text
    form = visitor.form_of("/account/edit/a1") | {"access_token": "gho_other"} | SAVE
    assert visitor.post("/account/edit/a1", form).status == 302
    assert execute(filled, "SELECT access_token FROM account WHERE id = 'a1'") == [("gho_other",)]


@pytest.mark.soak
def test_a_key_that_is_a_secret_is_no_address(
    filled: DatabaseUrl, serve: Callable[..., Visitor]
) -> None:
    execute(
        filled,
        "CREATE TABLE login (token text PRIMARY KEY, who text); "
        "CREATE TABLE used (id integer PRIMARY KEY, token text REFERENCES login); "
        "INSERT INTO login VALUES ('tok_planted', 'u1'); "
        "INSERT INTO used VALUES (1, 'tok_planted')",
    )
    visitor = serve(filled)
    place = address_of("(0,1)")
    for path in ("/login/list", f"/login/details/{place}", "/used/list", "/used/details/1"):
        page = visitor.get(path)
        assert page.status == 200, path
        assert HIDDEN in page.text
        assert "tok_planted" not in page.text, path
    assert visitor.get(f"/login/edit/{place}").status == 403


#: Queries, and the values that may be seen of them.
_ANSWERS = (
    ("SELECT access_token FROM account ORDER BY id", (HIDDEN, HIDDEN)),
    ("SELECT refresh_token FROM account ORDER BY id", (None, HIDDEN)),
    ("SELECT id, access_token AS x FROM account WHERE id = 'a1'", ("a1", HIDDEN)),
    ("SELECT x FROM (SELECT access_token AS x FROM account LIMIT 1) s", (HIDDEN,)),
    ("WITH c AS (SELECT * FROM account LIMIT 1) SELECT c.password, provider_id FROM c",
     (HIDDEN, "github")),
    ('SELECT a.access_token, u.id FROM "user" u JOIN account a ON a.id = \'a1\' AND u.id = user_id',
     (HIDDEN, "u1")),
    ("SELECT upper(access_token), provider_id FROM account LIMIT 1", (HIDDEN, "github")),
    ("SELECT x FROM (SELECT upper(access_token) AS x FROM account LIMIT 1) s", (HIDDEN,)),
    ("SELECT a FROM account a LIMIT 1", (HIDDEN,)),
    ("SELECT to_json(a) FROM account a LIMIT 1", (HIDDEN,)),
    ("SELECT json_agg(account) FROM account", (HIDDEN,)),
    ("SELECT (a).access_token FROM account a LIMIT 1", (HIDDEN,)),
    ("SELECT string_agg(access_token, ',') FROM account", (HIDDEN,)),
    ("SELECT (SELECT access_token FROM account LIMIT 1)", (HIDDEN,)),
    ("SELECT access_token FROM account LIMIT 0", ()),
    ("SELECT id_token FROM account UNION SELECT id_token FROM account", (None,)),
    ("SELECT 'x' UNION SELECT access_token FROM account", (HIDDEN, HIDDEN, HIDDEN)),
    ("(TABLE account LIMIT 0) UNION ALL SELECT * FROM account WHERE id = 'x'", ()),
    ("SELECT u FROM account a, LATERAL upper(a.access_token) u LIMIT 1", (HIDDEN,)),
    ("SELECT v.x FROM account a, LATERAL (VALUES (a.access_token)) v(x) LIMIT 1", (HIDDEN,)),
    ("SELECT upper(d) FROM account AS r(a, b, c, d, e, f) LIMIT 1", (HIDDEN,)),
    ("SELECT x FROM unnest(ARRAY(SELECT access_token FROM account)) x LIMIT 1", (HIDDEN,)),
    ("SELECT token, plain FROM seen LIMIT 1", (HIDDEN, "github")),
    ("SELECT innocent FROM renamed LIMIT 1", (HIDDEN,)),
    ("SELECT innocent FROM kept LIMIT 1", (HIDDEN,)),
    ("SELECT made FROM renamed LIMIT 1", (HIDDEN,)),
    ("SELECT access_token FROM part_1", (HIDDEN,)),
    # What gives nothing away is shown.
    ("SELECT count(*) FROM account WHERE access_token IS NOT NULL", ("2",)),
    ("SELECT count(access_token) FROM account", ("2",)),
    ("SELECT refresh_token IS NULL FROM account ORDER BY id", ("t", "f")),
    ("SELECT provider_id, count(*) FROM account GROUP BY 1", ("github", "2")),
    ("SELECT EXISTS (SELECT * FROM account)", ("t",)),
    ("SELECT upper(state), state FROM pg_stat_activity WHERE pid = pg_backend_pid()",
     ("ACTIVE", "active")),
    ("SELECT expires_at FROM session", ()),
    ("SELECT 'x' AS token", ("x",)),
)  # fmt: skip


@pytest.fixture
def with_views(filled: DatabaseUrl) -> DatabaseUrl:
    execute(
        filled,
        "CREATE VIEW seen AS SELECT access_token AS token, provider_id AS plain FROM account; "
        "CREATE VIEW renamed AS SELECT token AS innocent, upper(token) AS made FROM seen; "
        "CREATE MATERIALIZED VIEW kept AS SELECT innocent FROM renamed; "
        "CREATE TABLE part (access_token text) PARTITION BY LIST (access_token); "
        "CREATE TABLE part_1 PARTITION OF part DEFAULT; INSERT INTO part VALUES ('gho_planted')",
    )
    return filled


def test_answers_hide_them_however_they_are_asked_for(with_views: DatabaseUrl) -> None:
    for sql, expected in _ANSWERS:
        answer = ask(with_views, sql, secrets=BOUNTY)
        values = tuple(value for row in answer.rows for value in row)
        assert values == expected, sql
        assert answer.hidden or HIDDEN not in values, sql


def test_nor_does_the_server_tell_its_own(with_views: DatabaseUrl) -> None:
    for sql in (
        "SELECT rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL",
        "SELECT passwd FROM pg_shadow WHERE passwd IS NOT NULL",
        "SELECT most_common_vals FROM pg_stats WHERE most_common_vals IS NOT NULL LIMIT 1",
        "SELECT most_common_vals::text FROM pg_stats WHERE most_common_vals IS NOT NULL LIMIT 1",
    ):
        answer = ask(with_views, sql, secrets=BOUNTY)
        assert {value for row in answer.rows for value in row} == {HIDDEN}, sql
    shown = ask(with_views, "TABLE account", secrets=None)
    assert "gho_planted" in str(shown.rows)
    assert shown.hidden == ()


def test_the_page_and_the_file_say_what_is_hidden(reader: Visitor) -> None:
    sql = "SELECT id, access_token FROM account"
    page = reader.post("/query", {"sql": sql}).text
    assert "Hidden: access_token." in page
    sheet = reader.post("/query", {"sql": sql, "wish": "csv"}).text
    for given in (page, sheet):
        assert HIDDEN in given
        assert "gho_planted" not in given


def test_a_protected_environment_shows_no_secrets() -> None:
    from bounty_ops.environments import DatabaseUrl as Url  # noqa: PLC0415
    from bounty_ops.environments import Environment, Policy  # noqa: PLC0415
    from bounty_ops.studio.access import decide  # noqa: PLC0415

    url = Url("127.0.0.1", 1, "bounty", "ada", None)
    production = Environment("production", url, Policy(protected=True))
    with pytest.raises(UsageError, match="not shown") as refused:
        decide(
            production, allow_edit=False, read_only=False, show_secrets=True, operator="ada@desk"
        )
    assert "role that may read it" in refused.value.hint
