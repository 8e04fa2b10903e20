"""A restore shows what would be lost, changes nothing before the copy is equal, and then swaps."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.errors import RestoreError, UsageError
from bounty_ops.journal.records import Verdict
from bounty_ops.postgres.connect import connect
from bounty_ops.restore.outcome import Watching
from bounty_ops_tests.fix_backups import make_role, run, value
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.restore.restores import databases, new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.restore.restores import Restores

#: Every table its own object, however small.
TINY = 1 / 2**30


@pytest.fixture
def fruit(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A small database."""
    run(fresh_database, "CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number")
    return fresh_database


ROWS = "SELECT count(*) FROM fruit"


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_one_of_everything_is_restored_into_a_new_database_on_every_major(
    make_zoo: Callable[[int], DatabaseUrl], restores: Restores, major: int
) -> None:
    zoo = make_zoo(major)
    manifest = restores.backups.take(zoo)
    target = restores.target(zoo.with_database(new_name()))
    plan = restores.plan(manifest, target)
    entries: list[tuple[int, int]] = []

    watching = Watching(restored=lambda done, total: entries.append((done, total)))
    done = restores.carry_out(plan, manifest, target, watching=watching)

    assert (done.done, done.verdict, done.differences) == (True, Verdict.PROVED, ())
    assert done.rows_compared == manifest.rows
    assert done.old_database is None
    assert plan.state.exists is False
    assert plan.needs_digest is False
    assert databases(zoo, target.url.database) == [target.url.database]
    assert 0 < entries[-1][0] <= entries[-1][1]


def test_shards_and_encryption_are_restored_alike(zoo: DatabaseUrl, restores: Restores) -> None:
    import pyrage  # type: ignore[import-untyped] # noqa: PLC0415 - it ships no types

    key = pyrage.x25519.Identity.generate()
    manifest = restores.backups.take(zoo, encrypt_to=(str(key.to_public()),), shard_above_gib=TINY)
    assert len(manifest.shards) > 1
    target = restores.target(zoo.with_database(new_name()))
    plan = restores.plan(manifest, target)

    with pytest.raises(RestoreError, match="no private key"):
        restores.carry_out(plan, manifest, target)
    assert databases(zoo, target.url.database) == []

    done = restores.carry_out(plan, manifest, target, identities=(str(key),))
    assert (done.done, done.differences) == (True, ())


def test_what_is_not_empty_asks_for_the_digest_and_is_kept_under_another_name(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    run(
        fruit,
        "DELETE FROM fruit WHERE number > 7",
        f'ALTER DATABASE {fruit.database} SET search_path = garden, "Odd, name", public',
        f"ALTER DATABASE {fruit.database} CONNECTION LIMIT 33",
        f"COMMENT ON DATABASE {fruit.database} IS 'ours'",
        f"REVOKE CONNECT ON DATABASE {fruit.database} FROM PUBLIC",
    )
    target = restores.target(fruit)
    plan = restores.plan(manifest, target)
    assert plan.needs_digest
    assert [(one.label, one.rows) for one in plan.state.tables] == [("public.fruit", 7)]

    with pytest.raises(UsageError, match="in use or not empty") as refused:
        restores.carry_out(plan, manifest, target)
    assert plan.digest in refused.value.hint
    assert value(fruit, "SELECT count(*) FROM public.fruit") == 7

    with connect(fruit, application_name="an application") as session:
        plan = restores.plan(manifest, target)
        assert [one.application for one in plan.state.sessions] == ["an application"]
        done = restores.carry_out(plan, manifest, target, plan.digest)
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")

    assert value(fruit, "SELECT count(*) FROM public.fruit") == 100
    assert done.old_database is not None
    assert value(fruit.with_database(done.old_database), "SELECT count(*) FROM public.fruit") == 7
    assert value(fruit, "SHOW search_path") == 'garden, "Odd, name", public'
    facts = (
        "SELECT ROW(datconnlimit, shobj_description(oid, 'pg_database'), datallowconn,"
        " has_database_privilege('pg_monitor', oid, 'CONNECT'))::text"
        " FROM pg_database WHERE datname = current_database()"
    )
    assert value(fruit, facts) == "(33,ours,t,f)"
    assert done.removal is not None
    run(fruit.with_database("postgres"), done.removal)


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO fruit VALUES (1)",
        "CREATE TABLE another (i integer)",
        "CREATE VIEW seen AS SELECT 1 AS one",
        "DROP TABLE fruit",
    ],
)
def test_the_digest_of_a_plan_is_void_once_something_else_is_there(
    fruit: DatabaseUrl, restores: Restores, change: str
) -> None:
    manifest = restores.backups.take(fruit)
    run(fruit, "DELETE FROM fruit WHERE number > 50")
    target = restores.target(fruit)
    digest = restores.plan(manifest, target).digest
    run(fruit, change)

    plan = restores.plan(manifest, target)
    with pytest.raises(RestoreError, match="another digest"):
        restores.carry_out(plan, manifest, target, digest)


def test_the_digest_is_that_of_one_backup_and_one_target(
    fruit: DatabaseUrl, make_database: Callable[..., DatabaseUrl], restores: Restores
) -> None:
    first, second = restores.backups.take(fruit), restores.backups.take(fruit)
    here, there = restores.target(fruit), restores.target(make_database())
    digests = {
        restores.plan(first, here).digest,
        restores.plan(second, here).digest,
        restores.plan(first, there).digest,
        restores.plan(first, here, no_owner=True).digest,
    }
    assert len(digests) == 4
    assert restores.plan(first, here).digest in digests


def test_an_empty_but_protected_target_asks_for_the_digest(
    fruit: DatabaseUrl, make_database: Callable[..., DatabaseUrl], restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    target = restores.target(make_database(), protected=True)
    plan = restores.plan(manifest, target)
    with pytest.raises(UsageError, match="protected"):
        restores.carry_out(plan, manifest, target)
    assert restores.carry_out(plan, manifest, target, plan.digest).done


def test_a_damaged_archive_is_noticed_before_the_server_is_touched(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    data = bytearray(restores.backups.store.get(manifest.archive.key))
    data[len(data) // 2] ^= 1
    restores.backups.replace_archive(manifest, bytes(data))
    target = restores.target(fruit.with_database(new_name()))

    with pytest.raises(RestoreError, match="is not what was stored"):
        restores.restore(manifest, target)

    assert databases(fruit, target.url.database) == []


def test_a_copy_that_differs_is_not_handed_over(fruit: DatabaseUrl, restores: Restores) -> None:
    manifest = restores.backups.take(fruit)
    [table] = manifest.tables
    forged = manifest.model_copy(update={"tables": (table.model_copy(update={"rows": 101}),)})
    run(fruit, "DELETE FROM fruit WHERE number > 7")
    target = restores.target(fruit)

    done = restores.restore(forged, target)

    assert not done.done
    assert [one.kind for one in done.differences] == ["rows"]
    assert value(fruit, ROWS) == 7
    [copy] = [name for name in databases(fruit, fruit.database) if name != fruit.database]
    assert "_restoring_" in copy
    assert any(copy in note for note in done.notes)

    assert restores.restore(manifest, target).done
    assert copy not in databases(fruit, fruit.database)


def test_an_archive_that_does_not_restore_leaves_the_target_and_no_copy(
    fruit: DatabaseUrl, restores: Restores, pg_server_of: Callable[[int], DatabaseUrl]
) -> None:
    owner = f"owner_{secrets.token_hex(4)}"
    make_role(fruit, owner)
    run(fruit, f"ALTER TABLE fruit OWNER TO {owner}")
    manifest = restores.backups.take(fruit)
    # As if nobody had recorded the roles: the plan cannot know, pg_restore will.
    unknown = manifest.model_copy(update={"inventory": {**manifest.inventory, "about_roles": []}})
    other = pg_server_of(18).with_database(new_name())
    target = restores.target(other)

    with pytest.raises(RestoreError, match=f'role "{owner}" does not exist'):
        restores.restore(unknown, target)

    assert databases(other, target.url.database) == []


def test_missing_roles_are_told_before_anything_is_done(
    fruit: DatabaseUrl, restores: Restores, pg_server_of: Callable[[int], DatabaseUrl]
) -> None:
    names = [f"{kind}_{secrets.token_hex(4)}" for kind in ("owner", "Reader", "judge")]
    owner, reader, judge = names
    for name in names:
        run(fruit, f'CREATE ROLE "{name}"')
    run(
        fruit,
        f"ALTER TABLE fruit OWNER TO {owner}",
        f'GRANT SELECT ON fruit TO "{reader}"',
        f"CREATE POLICY p ON fruit TO {judge} USING (number > 1)",
    )
    manifest = restores.backups.take(fruit)
    other = pg_server_of(18)
    target = restores.target(other.with_database(new_name()))
    plan = restores.plan(manifest, target)
    assert plan.missing_roles == tuple(sorted(names))
    with pytest.raises(UsageError, match=owner):
        restores.carry_out(plan, manifest, target)

    assert restores.plan(manifest, target, no_owner=True).missing_roles == (judge,)
    done = restores.restore(manifest, target, create_roles=True)
    assert done.done
    login = f"SELECT rolcanlogin OR rolsuper FROM pg_roles WHERE rolname = '{owner}'"
    assert value(other, login) is False

    plain = restores.target(other.with_database(new_name()))
    assert restores.restore(manifest, plain, no_owner=True).done
    assert value(plain.url, "SELECT tableowner FROM pg_tables WHERE tablename = 'fruit'") == (
        plain.url.user
    )


def test_an_older_server_is_refused_before_anything(
    make_database: Callable[..., DatabaseUrl], fruit: DatabaseUrl, restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    older = make_database(major=15)
    with pytest.raises(RestoreError, match="restores into PostgreSQL 17 or newer"):
        restores.plan(manifest, restores.target(older))


@pytest.mark.soak
def test_a_newer_server_takes_everything_and_nothing_differs_but_words(
    make_zoo: Callable[[int], DatabaseUrl],
    restores: Restores,
    pg_server_of: Callable[[int], DatabaseUrl],
) -> None:
    zoo = make_zoo(15)
    for role in ("zoo_owner", "zoo_reader"):
        make_role(pg_server_of(18), role)
    manifest = restores.backups.take(zoo)
    target = restores.target(pg_server_of(18).with_database(new_name()))

    done = restores.restore(manifest, target)

    assert done.done
    assert done.rows_compared == manifest.rows
    assert not [one for one in done.differences if one.kind in {"rows", "content", "table"}]


def test_a_role_that_may_not_create_databases_restores_in_place_into_an_empty_one_only(
    fruit: DatabaseUrl, make_database: Callable[..., DatabaseUrl], restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    empty = make_database()
    name = f"poor_{secrets.token_hex(4)}"
    run(
        empty,
        f"CREATE ROLE {name} LOGIN PASSWORD 'poor'",
        f"ALTER DATABASE {empty.database} OWNER TO {name}",
    )
    poor = empty.__class__(empty.host, empty.port, empty.database, name, "poor")
    target = restores.target(poor)
    with pytest.raises(RestoreError, match="may not create databases") as refused:
        restores.plan(manifest, target, no_owner=True)
    assert "--in-place" in refused.value.hint

    plan = restores.plan(manifest, target, no_owner=True, in_place=True)
    done = restores.carry_out(plan, manifest, target)
    assert (done.done, done.differences, done.way) == (True, (), "in place")
    assert value(poor, ROWS) == 100

    with pytest.raises(RestoreError, match="is not empty"):
        restores.plan(manifest, target, no_owner=True, in_place=True)


def test_a_restore_in_place_that_fails_leaves_the_database_empty(
    fruit: DatabaseUrl, make_database: Callable[..., DatabaseUrl], restores: Restores
) -> None:
    run(fruit, "CREATE TABLE later (i integer CHECK (i > 0))", "INSERT INTO later VALUES (1)")
    manifest = restores.backups.take(fruit)
    target = restores.target(make_database())
    plan = restores.plan(manifest, target, in_place=True)
    run(target.url, "CREATE TABLE later (other text)")  # somebody comes in between

    with pytest.raises(RestoreError, match='relation "later" already exists'):
        restores.carry_out(plan, manifest, target)

    assert value(target.url, "SELECT count(*) FROM pg_tables WHERE tablename = 'fruit'") == 0


def test_two_restores_into_one_target_exclude_each_other(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    target = restores.target(fruit.with_database(new_name()))
    plan = restores.plan(manifest, target)
    with connect(fruit.with_database("postgres"), application_name="another") as other:
        other.execute(
            "SELECT pg_advisory_lock(%s, hashtext(%s))", [0x72657374, target.url.database]
        )
        with pytest.raises(RestoreError, match="under way"):
            restores.carry_out(plan, manifest, target)
    assert restores.carry_out(plan, manifest, target).done


def test_a_database_that_was_replaced_since_the_plan_is_left_alone(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    target = restores.target(fruit.with_database(new_name()))
    plan = restores.plan(manifest, target)
    run(fruit.with_database("postgres"), f"CREATE DATABASE {target.url.database}")
    with pytest.raises(RestoreError, match="was replaced since the plan"):
        restores.carry_out(plan, manifest, target)
