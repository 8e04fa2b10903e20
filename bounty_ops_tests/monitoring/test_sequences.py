"""Sequences are judged by the column they feed, and one that cannot be read is never half empty."""

from __future__ import annotations

import zlib
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring import CollectionResult, Sequences, collect
from bounty_ops.monitoring.collectors import sequence_memory
from bounty_ops.monitoring.collectors.sequence_limits import Span, column_span, used_ratio
from bounty_ops.monitoring.collectors.sequence_reading import Listed, list_sequences
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.monitoring.conftest import Session, environment_of, eventually, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.monitoring.collectors.sequences import SequenceFacts
    from bounty_ops.monitoring.probe import Probe

INT4 = 2_147_483_647


def sequences_of(url: DatabaseUrl) -> tuple[dict[str, SequenceFacts], CollectionResult]:
    result = collect(environment_of(url), families=["sequences"])
    family = result.family(Sequences)
    assert family is not None
    return {each.name: each for each in family.sequences}, result


PLANTED = """
CREATE DOMAIN small AS integer; CREATE DOMAIN smaller AS small;
CREATE TABLE serials (id serial PRIMARY KEY, big bigserial);
CREATE TABLE identities (id smallint GENERATED ALWAYS AS IDENTITY);
CREATE SEQUENCE nobodys; CREATE SEQUENCE "Late Bound"; CREATE SEQUENCE unused;
CREATE TABLE fed (id integer DEFAULT nextval('nobodys'), n numeric(4),
    late integer DEFAULT nextval('"Late Bound"'::text));
CREATE TABLE renamed (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE referring (renamed integer REFERENCES renamed);
CREATE SEQUENCE domains; CREATE TABLE domained (id smaller DEFAULT nextval('domains'));
CREATE SEQUENCE digits;
CREATE TABLE numbered (id numeric(4) DEFAULT nextval('digits'), t text DEFAULT nextval('digits'));
CREATE SEQUENCE parts;
CREATE TABLE whole (id integer DEFAULT nextval('parts')) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (9);
CREATE SEQUENCE down AS smallint INCREMENT -1; CREATE SEQUENCE turning AS smallint CYCLE;
"""


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_each_sequence_knows_its_fullest_column(
    make_database: Callable[..., DatabaseUrl], major: int
) -> None:
    url = make_database(major=major)
    execute(url, PLANTED)
    found, result = sequences_of(url)
    assert result.unknown == ()
    assert {name: (each.column, each.column_limit) for name, each in found.items()} == {
        "serials_id_seq": ("public.serials.id", INT4),
        "serials_big_seq": ("public.serials.big", 9_223_372_036_854_775_807),
        "identities_id_seq": ("public.identities.id", 32_767),
        "nobodys": ("public.fed.id", INT4),
        "Late Bound": ("public.fed.late", INT4),
        "unused": (None, None),
        "renamed_id_seq": ("public.referring.renamed", INT4),
        "domains": ("public.domained.id", INT4),
        "digits": ("public.numbered.id", 9_999),
        "parts": ("public.whole.id", INT4),
        "down": (None, None),
        "turning": (None, None),
    }
    assert (found["parts"].columns, found["digits"].columns) == (1, 2)
    assert found["domains"].column_type == "public.smaller"
    assert {each.used_ratio for each in found.values()} == {0.0}
    assert {each.last_value for each in found.values()} == {None}


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_what_is_used_is_measured_against_whichever_is_full_first(
    make_database: Callable[..., DatabaseUrl], major: int
) -> None:
    url = make_database(major=major)
    execute(url, PLANTED)
    execute(
        url,
        "SELECT setval('nobodys', 2100000000), setval('serials_id_seq', 2147483647), "
        "setval('renamed_id_seq', 2000000000, false), setval('digits', 5000), "
        "setval('down', -32000), setval('turning', 32000), setval('serials_big_seq', 1)",
    )
    found, _ = sequences_of(url)
    ratios = {name: each.used_ratio or 0 for name, each in found.items()}
    assert ratios["nobodys"] == pytest.approx(2_100_000_000 / INT4)
    assert ratios["serials_id_seq"] == 1.0
    assert ratios["renamed_id_seq"] == pytest.approx(1_999_999_999 / INT4)
    assert found["renamed_id_seq"].last_value is None
    assert ratios["digits"] == pytest.approx(5_000 / 9_999)
    assert ratios["down"] == pytest.approx(32_000 / 32_768)
    assert ratios["turning"] == 0.0
    assert 0 < ratios["serials_big_seq"] < 1e-15


@pytest.mark.parametrize("granted", ["", "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}"])
def test_without_select_a_sequence_that_may_be_at_its_end_is_unknown(
    fresh_database: DatabaseUrl, make_role: Callable[..., DatabaseUrl], granted: str
) -> None:
    execute(fresh_database, "CREATE SEQUENCE used; CREATE SEQUENCE set_to_its_end MAXVALUE 9")
    execute(fresh_database, "SELECT setval('used', 7), setval('set_to_its_end', 9, false)")
    watcher = make_role(fresh_database, "IN ROLE pg_monitor")
    if granted:
        execute(fresh_database, granted, watcher.user)
    found, result = sequences_of(watcher)
    assert found["set_to_its_end"].used_ratio is None
    assert not found["set_to_its_end"].readable
    assert found["used"].last_value == (7 if granted else None)
    (unknown,) = result.unknown
    assert "set_to_its_end" in unknown.reason
    assert f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {watcher.user}" in unknown.remedy
    family = result.family(Sequences)
    assert family is not None
    assert family.worst_ratio is None
    assert family.unreadable == len([each for each in found.values() if not each.readable])


def test_a_default_that_finds_its_sequence_when_it_runs_is_told_where_that_is_in_doubt(
    fresh_database: DatabaseUrl,
) -> None:
    execute(
        fresh_database,
        "CREATE SCHEMA other; CREATE SEQUENCE twice; CREATE SEQUENCE other.twice;"
        "CREATE TABLE t (id integer DEFAULT nextval('twice'::text),"
        " x integer DEFAULT nextval(lower('TWICE')::regclass),"
        " y integer DEFAULT nextval('other.twice'::text))",
    )
    found, result = sequences_of(fresh_database)
    assert {each.subject for each in result.unknown} == {"public.t.id", "public.t.x"}
    assert {each.column for each in found.values()} <= {None, "public.t.y"}


def test_a_sequence_that_is_locked_is_unknown_and_all_the_others_are_read(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    execute(fresh_database, "CREATE SEQUENCE a; CREATE SEQUENCE b; CREATE SEQUENCE c")
    dropping = open_session(fresh_database, autocommit="no")
    dropping.execute("DROP SEQUENCE b")
    altering = open_session(fresh_database, autocommit="no")
    altering.execute("ALTER SEQUENCE c INCREMENT 2")
    found, result = sequences_of(fresh_database)
    assert {name: each.readable for name, each in found.items()} == {
        "a": True,
        "b": False,
        "c": True,
    }
    (unknown,) = result.unknown
    assert unknown.subject == "public.b"
    assert "ACCESS EXCLUSIVE" in unknown.reason


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_what_sequences_are_is_read_again_only_after_the_catalogs_changed(
    make_database: Callable[..., DatabaseUrl], monkeypatch: pytest.MonkeyPatch, major: int
) -> None:
    url = make_database(major=major)
    execute(url, PLANTED)
    described = []

    def counting(probe: Probe) -> list[Listed]:
        described.append(probe)
        return list_sequences(probe)

    monkeypatch.setattr(sequence_memory, "list_sequences", counting)
    memory: dict[str, bytes] = {}

    def look() -> tuple[Sequences, bool]:
        """What is found, and whether it had to be described."""
        before = len(described)
        result = collect(environment_of(url), families=["sequences"], memory=memory)
        memory.update(result.memory)
        family = result.family(Sequences)
        assert family is not None
        return family, len(described) > before

    def settled() -> bool:
        """Before version 15 the server's statistics are behind what happened."""
        return not look()[1]

    def its_values_alone() -> bool:
        """Before version 15 what was planted may be counted after any number of looks."""
        execute(url, "SELECT setval('unused', 1, false)")
        execute(url, "SELECT nextval('unused') FROM generate_series(1, 5)")
        found, anew = look()
        assert {each.name: each.last_value for each in found.sequences}["unused"] == 5
        return not anew

    def remembered_as(truth: Sequences | None) -> bool:
        return look() == (truth, False)

    look()
    eventually(settled)
    eventually(its_values_alone)
    for change in (
        "ALTER SEQUENCE unused MAXVALUE 100",
        "ALTER SEQUENCE unused RENAME TO used",
        "ALTER TABLE fed ALTER n SET DEFAULT nextval('used')",
        "CREATE SEQUENCE another",
        "DROP SEQUENCE another",
    ):
        execute(url, change)
        eventually(lambda: look()[1])
        eventually(settled)
        without = collect(environment_of(url), families=["sequences"]).family(Sequences)
        eventually(partial(remembered_as, without))


def test_a_memory_of_sequences_shows_nothing_that_was_revoked(
    fresh_database: DatabaseUrl, make_role: Callable[..., DatabaseUrl]
) -> None:
    execute(fresh_database, "CREATE SEQUENCE secret; CREATE ROLE readers_of_secret")
    execute(fresh_database, "GRANT SELECT ON SEQUENCE secret TO readers_of_secret")
    role = make_role(fresh_database, "IN ROLE readers_of_secret")
    try:
        first = collect(environment_of(role), families=["sequences"])
        assert first.memory.keys() == {"sequences"}
        execute(fresh_database, "REVOKE readers_of_secret FROM {}", role.user)
        second = collect(environment_of(role), families=["sequences"], memory=first.memory)
        family = second.family(Sequences)
        assert family is not None
        assert [each.readable for each in family.sequences] == [False]
        assert second.memory == {}  # a grant must be noticed at once
    finally:
        execute(fresh_database, "DROP OWNED BY readers_of_secret; DROP ROLE readers_of_secret")


@pytest.mark.parametrize("body", [b"", b"nonsense", zlib.compress(b"[]"), zlib.compress(b"{}")])
def test_a_damaged_memory_of_sequences_is_none(fresh_database: DatabaseUrl, body: bytes) -> None:
    execute(fresh_database, "CREATE SEQUENCE one")
    memory = {"sequences": body}
    result = collect(environment_of(fresh_database), families=["sequences"], memory=memory)
    assert [each.subject for each in result.family(Sequences).sequences] == ["public.one"]  # type: ignore[union-attr] # it is there
    assert result.memory.keys() == {"sequences"}


def test_sequences_that_are_locked_or_gone_in_this_moment_cost_only_themselves(
    fresh_database: DatabaseUrl,
    open_session: Callable[..., Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execute(fresh_database, "".join(f"CREATE SEQUENCE s{n};" for n in range(7)))
    holder = open_session(fresh_database, autocommit="no")

    def late(probe: Probe) -> list[Listed]:
        found = list_sequences(probe)
        execute(fresh_database, "DROP SEQUENCE s5")
        holder.execute("DROP SEQUENCE s2")
        return found

    monkeypatch.setattr(sequence_memory, "list_sequences", late)
    found, result = sequences_of(fresh_database)
    assert {name for name, each in found.items() if each.readable} == {"s0", "s1", "s3", "s4", "s6"}
    assert [each.subject for each in result.unknown] == ["public.s2"]


def test_hundreds_of_sequences_are_read_in_a_few_statements(fresh_database: DatabaseUrl) -> None:
    execute(fresh_database, "".join(f"CREATE SEQUENCE s{n} START {n + 1};" for n in range(250)))
    found, result = sequences_of(fresh_database)
    assert len(found) == 250
    assert result.unknown == ()


@given(
    low=st.integers(-50, 50),
    length=st.integers(0, 60),
    increment=st.integers(1, 9) | st.integers(-9, -1),
    steps=st.integers(0, 80),
)
def test_all_is_used_exactly_when_the_next_value_would_fail(
    low: int, length: int, increment: int, steps: int
) -> None:
    span = Span(low, low + length)
    first = span.low if increment > 0 else span.high
    position = first + (steps - 1) * increment
    following = position + increment
    ratio = used_ratio(span, increment, position)
    assert (ratio == 1.0) == (not span.low <= following <= span.high)
    assert 0 <= ratio <= used_ratio(span, increment, following) <= 1


def test_what_columns_hold() -> None:
    assert column_span("int2", -1) == Span(-32_768, 32_767)
    assert column_span("numeric", -1) is None
    assert column_span("text", -1) is None
    assert column_span("numeric", ((3 << 16) | (-2 & 0x7FF)) + 4) == Span(-99_999, 99_999)
