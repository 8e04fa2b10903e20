"""Facts about indexes are right on every major, and what follows from them on Bounty's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.monitoring import CollectionResult, Indexes, collect, report
from bounty_ops.monitoring.index_advice import foreign_keys_without_index, redundant_indexes
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.monitoring.conftest import Session, environment_of, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.monitoring.collectors.indexes import IndexFacts


def _indexes(url: DatabaseUrl) -> tuple[Indexes, CollectionResult]:
    result = collect(environment_of(url), families=["tables", "indexes"])
    indexes = result.family(Indexes)
    assert indexes is not None
    return indexes, result


def _named(indexes: Indexes, name: str) -> IndexFacts:
    (found,) = [index for index in indexes.indexes if index.name == name]
    return found


def _redundant(url: DatabaseUrl) -> dict[str, str]:
    indexes, _ = _indexes(url)
    return {i.name: keeper.name for i, keeper in redundant_indexes(indexes.indexes)}


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_on_bountys_schema_22_foreign_keys_lack_an_index_and_6_indexes_are_redundant(
    make_database: Callable[..., DatabaseUrl], major: int
) -> None:
    url = make_database(major=major, line="bounty")

    indexes, result = _indexes(url)
    findings = report(result)

    missing = foreign_keys_without_index(indexes)
    assert len(indexes.foreign_keys) == 50
    assert len(missing) == 22
    assert "bounty_assigned_to_id_user_id_fk" in {key.name for key in missing}
    assert _redundant(url) == {
        "bounty_bookmark_bounty_id_idx": "bounty_bookmark_unique_idx",
        "bounty_comment_like_comment_id_idx": "bounty_comment_like_unique_idx",
        "bounty_vote_bounty_id_idx": "bounty_vote_unique_idx",
        "github_installation_unique_idx": "github_installation_github_installation_id_unique",
        "member_org_id_idx": "member_org_user_idx",
        "organization_slug_idx": "organization_slug_unique",
    }
    kinds = [finding.kind for finding in findings]
    assert kinds.count("foreign_key_without_index") == 22
    assert kinds.count("redundant_index") == 6


@pytest.mark.parametrize("kind", ["foreign_key_without_index", "redundant_index"])
def test_the_remedy_of_a_finding_can_be_run_as_it_stands_and_remedies_it(
    migrated_database: DatabaseUrl, kind: str
) -> None:
    _, result = _indexes(migrated_database)
    for finding in report(result):
        if finding.kind == kind:
            execute(migrated_database, finding.remedy)
    _, remedied = _indexes(migrated_database)
    assert kind not in {finding.kind for finding in report(remedied)}


def test_facts_of_special_indexes(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database)
    session.execute("CREATE TABLE t (id int PRIMARY KEY, a text, b text, c int)")
    session.execute("CREATE INDEX by_expression ON t (lower(a), c DESC)")
    session.execute("CREATE INDEX on_part ON t (a) WHERE b IS NOT NULL")
    session.execute("CREATE UNIQUE INDEX covering ON t (b) INCLUDE (c)")
    session.execute("ALTER TABLE t ALTER COLUMN b SET NOT NULL")
    session.execute("ALTER TABLE t REPLICA IDENTITY USING INDEX covering")
    indexes, _ = _indexes(fresh_database)
    assert indexes.count == 4
    primary = _named(indexes, "t_pkey")
    assert (primary.primary, primary.unique, primary.constraint) == (True, True, "t_pkey")
    assert _named(indexes, "by_expression").columns == (None, "c")
    on_part = _named(indexes, "on_part")
    assert on_part.partial
    assert on_part.predicate is not None
    covering = _named(indexes, "covering")
    assert (covering.columns, covering.included) == (("b",), ("c",))
    assert covering.replica_identity
    assert not _named(indexes, "on_part").unique


def test_scans_are_counted_and_too_short_a_time_proves_nothing_unused(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database)
    session.execute("SELECT pg_stat_reset()")
    session.execute("CREATE TABLE t (id int PRIMARY KEY, a int, b int)")
    session.execute("INSERT INTO t SELECT i, i, i FROM generate_series(1, 2000) i")
    session.execute("CREATE INDEX used_idx ON t (a)")
    session.execute("CREATE INDEX idle_idx ON t (b)")
    session.execute("SET enable_seqscan = off")
    session.execute("SELECT * FROM t WHERE a = 7").fetchall()
    session.execute("SELECT pg_stat_force_next_flush()")
    indexes, result = _indexes(fresh_database)
    used = _named(indexes, "used_idx")
    assert used.scans == 1
    assert used.last_scan is not None
    assert _named(indexes, "idle_idx").scans == 0
    assert indexes.statistics_since is not None
    assert "since when index use is counted" not in {unknown.subject for unknown in result.unknown}
    (unused,) = [finding for finding in report(result) if finding.kind == "index_use_unknown"]
    assert "public.idle_idx" in unused.evidence
    assert "used_idx" not in unused.evidence
    assert "t_pkey" not in unused.evidence
    assert "replicas was not looked at" in unused.evidence
    assert "unused_indexes" not in {finding.kind for finding in report(result)}


def test_an_unknown_beginning_of_the_statistics_is_reported(
    fresh_database: DatabaseUrl,
) -> None:
    indexes, result = _indexes(fresh_database)
    assert indexes.statistics_since is None
    assert [unknown.subject for unknown in result.unknown] == ["since when index use is counted"]


def test_an_invalid_index_is_a_finding_and_serves_no_foreign_key(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database)
    session.execute("CREATE TABLE parent (id int PRIMARY KEY)")
    session.execute("CREATE TABLE child (parent int REFERENCES parent)")
    session.execute("INSERT INTO parent VALUES (1)")
    session.execute("INSERT INTO child VALUES (1), (1)")
    with pytest.raises(Exception, match="could not create unique index"):
        session.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON child (parent)")
    indexes, result = _indexes(fresh_database)
    assert not _named(indexes, "broken").valid
    assert [key.table for key in foreign_keys_without_index(indexes)] == ["child"]
    assert "invalid_index" in {finding.kind for finding in report(result)}


#: Two indexes on a table with columns a, b and c, and whether the second replaces the first.
PAIRS = [
    ("(a)", "(a, b)", True),
    ("(a, b)", "(a, b)", True),
    ("(b)", "(a, b)", False),
    ("(a)", "(a DESC)", False),
    ("(a) WHERE b > 0", "(a)", False),
    ("(a)", "(a, b) WHERE b > 0", False),
    ("(a) WHERE b > 0", "(a, b) WHERE b > 0", True),
    ("(a) WHERE b > 0", "(a, b) WHERE b > 1", False),
    ("(abs(a))", "(abs(a))", True),
    ("(abs(a))", "(abs(b))", False),
    ("(c)", "(c text_pattern_ops)", False),
    ('(c COLLATE "C")', "(c)", False),
    ("USING hash (a)", "(a, b)", False),
    ("(a) INCLUDE (c)", "(a, b)", False),
    ("(a) INCLUDE (b)", "(a, b)", True),
]


def test_an_index_is_redundant_only_if_the_other_does_all_that_it_does(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database)
    for number, (first, second, _) in enumerate(PAIRS):
        session.execute(f"CREATE TABLE t{number} (a int, b int, c text)".encode())
        session.execute(f"CREATE INDEX first_{number} ON t{number} {first}".encode())
        session.execute(f"CREATE INDEX second_{number} ON t{number} {second}".encode())
    assert _redundant(fresh_database) == {
        f"first_{number}": f"second_{number}"
        for number, (_, _, redundant) in enumerate(PAIRS)
        if redundant
    }


#: What is done to a table with a foreign key (x, y), and whether that key still lacks an index.
SERVING = [
    ("CREATE INDEX ON {} (x, y)", False),
    ("CREATE INDEX ON {} (y, x)", False),
    ("CREATE INDEX ON {} (x)", True),
    ("CREATE INDEX ON {} (z, x, y)", True),
    ("CREATE INDEX ON {} (x, y, z)", False),
    ("CREATE INDEX ON {} (x, y) WHERE z > 0", True),
    ("ALTER TABLE {} ADD UNIQUE (x, y)", False),
    ("CREATE INDEX ON {} USING brin (x, y)", True),
]


def test_a_foreign_key_needs_an_index_that_begins_with_its_columns(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database)
    session.execute("CREATE TABLE parent (x int, y int, PRIMARY KEY (x, y))")
    for number, (statement, _) in enumerate(SERVING):
        columns = "x int, y int, z int, FOREIGN KEY (x, y) REFERENCES parent"
        session.execute(f"CREATE TABLE child_{number} ({columns})".encode())
        session.execute(statement.format(f"child_{number}").encode())
    indexes, _ = _indexes(fresh_database)
    assert {key.table for key in foreign_keys_without_index(indexes)} == {
        f"child_{number}" for number, (_, missing) in enumerate(SERVING) if missing
    }


def test_an_index_that_a_foreign_key_refers_to_is_never_redundant(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database)
    session.execute("CREATE TABLE parent (id int)")
    session.execute("CREATE UNIQUE INDEX a_idx ON parent (id)")
    session.execute("CREATE TABLE child (parent int REFERENCES parent (id))")
    session.execute("CREATE UNIQUE INDEX z_idx ON parent (id)")
    assert _redundant(fresh_database) == {"z_idx": "a_idx"}


def test_copies_of_a_foreign_key_on_partitions_are_not_listed(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database)
    session.execute("CREATE TABLE parent (id int PRIMARY KEY)")
    session.execute(
        "CREATE TABLE child (parent int REFERENCES parent, day date) PARTITION BY RANGE (day)"
    )
    session.execute("CREATE TABLE child_1 PARTITION OF child DEFAULT")
    session.execute("CREATE INDEX ON child (parent)")
    indexes, _ = _indexes(fresh_database)
    assert [key.table for key in indexes.foreign_keys] == ["child"]
    assert foreign_keys_without_index(indexes) == []
