"""Who runs a database, by its address alone, and the addresses that our pages show."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.environments import DatabaseUrl
from bounty_ops.environments.providers import Access, Provider, advise
from bounty_ops.postgres.causes import CAUSES
from bounty_ops_tests.cli.documented import text_of

PAGES = {
    "docs/how-to/connect-neon.md": Provider.NEON,
    "docs/how-to/connect-supabase.md": Provider.SUPABASE,
    "docs/how-to/connect-railway.md": Provider.RAILWAY,
    "docs/how-to/connect-own-server.md": Provider.SELF_HOSTED,
}
_URL = re.compile(r"postgres(?:ql)?://[^\s`]+")
_TABLE = re.compile(r"^\| `(postgres(?:ql)?://[^`]+)` \| ([\w ]+?) \|", re.MULTILINE)
NAMES = {cause.name for cause in CAUSES}

labels = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)
hosts = st.one_of(
    st.sampled_from(
        [
            "ep-cool-1.us-east-2.aws.neon.tech",
            "ep-cool-1-pooler.c-2.eu-central-1.aws.neon.tech",
            "db.abcdefghijklmnopqrst.supabase.co",
            "aws-0-eu-central-1.pooler.supabase.com",
            "aws-1-us-east-1.pooler.supabase.com",
            "roundhouse.proxy.rlwy.net",
            "postgres.railway.internal",
            "localhost",
            "/run/postgresql",
        ]
    ),
    st.builds(".".join, st.lists(labels, min_size=1, max_size=4)),
)
urls = st.builds(
    DatabaseUrl,
    host=hosts,
    port=st.sampled_from([5432, 6543, 6432, 1, 65535]),
    database=labels,
    user=st.one_of(labels, st.just("postgres.abcdefghijklmnopqrst")),
    password=st.just("a-secret-that-nobody-may-see"),
    parameters=st.sampled_from(["disable", "prefer", "require", "verify-ca", "verify-full"]).map(
        lambda mode: (("sslmode", mode),)
    ),
)


@given(urls)
def test_advice_is_whole_names_real_diagnoses_and_holds_no_secret(url: DatabaseUrl) -> None:
    counsel = advise(url)
    assert counsel == advise(url)
    assert "a-secret" not in str(counsel)
    names = [each.name for each in counsel.advice]
    assert len(names) == len(set(names))
    for each in counsel.advice:
        assert each.found
        assert each.remedy
        assert set(each.causes) <= NAMES
    pooled = any(each.name == "pooler" for each in counsel.problems)
    assert pooled == (counsel.access is Access.TRANSACTION_POOLER)


@given(urls)
def test_who_follows_the_advice_about_a_pooler_is_at_none(url: DatabaseUrl) -> None:
    counsel = advise(url)
    if counsel.access is not Access.TRANSACTION_POOLER:
        return
    direct = dataclasses.replace(url, host=url.host.replace("-pooler.", ".", 1), port=5432)
    assert advise(direct).access is not Access.TRANSACTION_POOLER


@given(labels, st.sampled_from(["neon.tech", "pooler.supabase.com", "rlwy.net"]))
def test_a_host_that_merely_looks_alike_is_nobodys(label: str, domain: str) -> None:
    for host in (f"{label}{domain}", f"{domain}.{label}.example"):
        assert advise(DatabaseUrl(host, 5432, "d", "u")).provider is Provider.SELF_HOSTED


@pytest.mark.parametrize("page", PAGES)
def test_every_url_of_a_page_can_be_read_and_is_that_providers(page: str) -> None:
    found = [DatabaseUrl.parse(text.rstrip(".,;)")) for text in _URL.findall(text_of(page))]
    assert found
    assert {advise(url).provider for url in found} == {PAGES[page]}


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_a_page_says_what_answers_at_an_address(page: str) -> None:
    rows = _TABLE.findall(text_of(page))
    assert rows
    for text, access in rows:
        assert advise(DatabaseUrl.parse(text)).access == access, text


@pytest.mark.parametrize("page", PAGES)
def test_the_url_that_a_page_recommends_has_no_problem(page: str) -> None:
    line = re.search(r"^DATABASE_URL=(\S+)$", text_of(page), re.MULTILINE)
    assert line is not None
    assert advise(DatabaseUrl.parse(line[1])).problems == ()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://postgres:p@aws-0-eu-west-1.pooler.supabase.com/postgres", "role"),
        ("postgresql://postgres.abcde:p@db.abcde.supabase.co/postgres", "role"),
        ("postgresql://u:p@x.proxy.rlwy.net:1234/railway", "tls"),
        ("postgresql://u:p@x.proxy.rlwy.net:1234/railway?sslmode=verify-full", "certificate"),
        ("postgresql://u:p@ep-a-pooler.eu.aws.neon.tech/db?sslmode=require", "pooler"),
    ],
)
def test_what_is_wrong_is_named(url: str, name: str) -> None:
    assert name in {each.name for each in advise(DatabaseUrl.parse(url)).problems}


def test_railways_private_name_can_be_verified() -> None:
    """Its image issues a certificate for that name, signed by its own root."""
    url = "postgresql://u:p@postgres.railway.internal/railway?sslmode=verify-full"
    assert advise(DatabaseUrl.parse(url)).problems == ()
