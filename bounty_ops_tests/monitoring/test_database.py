"""Counters of the database and its settings, on every major; what is hidden is said to be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bounty_ops.monitoring import Database, Replication, ServerSettings, collect
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.monitoring.conftest import Session, environment_of, eventually, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl


def database_of(url: DatabaseUrl) -> Database:
    result = collect(environment_of(url), families=["database"])
    assert result.unknown == ()
    database = result.family(Database)
    assert database is not None
    return database


def settings_of(url: DatabaseUrl) -> ServerSettings:
    settings = collect(environment_of(url), families=["settings"]).family(ServerSettings)
    assert settings is not None
    return settings


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_counters_grow_with_what_happens(
    make_database: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
    major: int,
) -> None:
    url = make_database(major=major)
    before = database_of(url)
    session = open_session(url)
    session.execute("CREATE TABLE t AS SELECT g FROM generate_series(1, 5000) AS g")
    session.execute("CHECKPOINT")
    session.close()
    eventually(lambda: database_of(url).rows_inserted >= before.rows_inserted + 5000)
    # The checkpointer counts a checkpoint after it has told whoever waits for it.
    requested = before.checkpoints_requested or 0
    eventually(lambda: (database_of(url).checkpoints_requested or 0) > requested)
    after = database_of(url)
    assert after.started_at == before.started_at
    assert after.commits > before.commits
    assert (after.size_bytes or 0) > (before.size_bytes or 0) > 1_000_000
    assert (after.wal_position or 0) > (before.wal_position or 0)
    assert (after.wal_bytes or 0) >= (before.wal_bytes or 0)
    assert (after.checkpoints_done is not None) == (major >= 18)
    assert after.checkpoints_timed is not None
    assert after.archived is None


def test_what_is_sorted_on_disk_is_counted(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database)
    session.execute("SET work_mem = '64kB'")
    session.execute(
        "SELECT count(*) FROM (SELECT g FROM generate_series(1, 50000) AS g "
        "ORDER BY md5(g::text)) AS sorted"
    )
    session.close()
    eventually(lambda: database_of(fresh_database).temp_files >= 1)
    assert database_of(fresh_database).temp_bytes > 500_000


def test_a_size_that_was_measured_a_moment_ago_is_not_measured_again(
    fresh_database: DatabaseUrl, make_database: Callable[..., DatabaseUrl]
) -> None:
    families = ["database"]
    first = collect(environment_of(fresh_database), families=families)
    execute(fresh_database, "CREATE TABLE t AS SELECT g FROM generate_series(1, 50000) AS g")
    again = collect(environment_of(fresh_database), families=families, memory=first.memory)
    assert again.memory == {}
    size, same = (each.family(Database).size_bytes for each in (first, again))  # type: ignore[union-attr] # it is there
    assert same == size
    for change in ({"at": "2026-01-01T00:00:00+00:00"}, {"at": "2100-01-01T00:00:00+00:00"}, {}):
        memory = json.loads(first.memory["database"]) | change if change else []
        later = collect(
            environment_of(fresh_database),
            families=families,
            memory={"database": json.dumps(memory).encode()},
        )
        assert later.family(Database).size_bytes > size + 1_000_000  # type: ignore[union-attr,operator] # it is there
    other = collect(environment_of(make_database()), families=families, memory=first.memory)
    assert other.memory.keys() == {"database"}


def test_ages_stand_beside_what_they_lead_to(fresh_database: DatabaseUrl) -> None:
    for _ in range(3):
        execute(fresh_database, "SELECT pg_current_xact_id()")
    found = database_of(fresh_database)
    assert 3 <= found.xid_age <= found.oldest_xid_age
    assert found.xid_age < found.xid_freeze_age == 200_000_000 < found.xid_limit == 2_144_483_647
    assert found.mxid_age <= found.oldest_mxid_age < found.mxid_freeze_age == 400_000_000
    assert found.oldest_xid_database


def test_a_database_that_became_read_only_says_so_and_our_own_session_does_not(
    fresh_database: DatabaseUrl,
) -> None:
    assert not database_of(fresh_database).read_only
    name = fresh_database.database
    execute(fresh_database, "ALTER DATABASE {} SET default_transaction_read_only = on", name)
    assert database_of(fresh_database).read_only


def test_a_part_that_the_server_refuses_costs_only_itself(
    fresh_database: DatabaseUrl, make_role: Callable[..., DatabaseUrl]
) -> None:
    execute(fresh_database, "REVOKE SELECT ON pg_catalog.pg_stat_wal FROM PUBLIC")
    result = collect(environment_of(make_role(fresh_database)), families=["database"])
    found = result.family(Database)
    assert found is not None
    assert (found.wal_bytes, found.wal_position) == (None, None)
    assert found.checkpoints_timed is not None
    assert [each.subject for each in result.unknown] == ["WAL"]


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_a_change_of_a_setting_changes_the_digest_and_going_back_restores_it(
    make_database: Callable[..., DatabaseUrl], major: int
) -> None:
    url = make_database(major=major)
    before = settings_of(url)
    assert settings_of(url).digest == before.digest
    execute(url, "ALTER DATABASE {} SET work_mem = '7MB'", url.database)
    changed = settings_of(url)
    assert changed.digest != before.digest
    (new,) = set(changed.settings) - set(before.settings)
    assert (new.name, new.scope, new.value) == ("work_mem", f"database {url.database}", "7MB")
    execute(url, "ALTER DATABASE {} RESET work_mem", url.database)
    assert settings_of(url) == before


def test_what_our_own_session_sets_is_nobodys_setting(fresh_database: DatabaseUrl) -> None:
    names = {each.name for each in settings_of(fresh_database).settings}
    assert not names & {"application_name", "lock_timeout", "statement_timeout", "jit"}
    assert "max_connections" in names


def test_texts_that_could_hold_a_secret_are_hashed_only(fresh_database: DatabaseUrl) -> None:
    name = fresh_database.database
    execute(fresh_database, "ALTER DATABASE {} SET app.token = 's3cr3t-token'", name)
    found = settings_of(fresh_database)
    (token,) = [each for each in found.settings if each.name == "app.token"]
    assert token.value is None
    assert "s3cr3t" not in found.model_dump_json()
    execute(fresh_database, "ALTER DATABASE {} SET app.token = 'other-token'", name)
    (other,) = [each for each in settings_of(fresh_database).settings if each.name == "app.token"]
    assert other.value_hash != token.value_hash


def test_who_may_not_see_all_settings_is_told(
    fresh_database: DatabaseUrl, make_role: Callable[..., DatabaseUrl]
) -> None:
    nobody = make_role(fresh_database)
    (unknown,) = collect(environment_of(nobody), families=["settings"]).unknown
    assert unknown.remedy.startswith(f"GRANT pg_read_all_settings TO {nobody.user}")


def test_a_server_that_nobody_follows_lags_nowhere(fresh_database: DatabaseUrl) -> None:
    result = collect(environment_of(fresh_database), families=["replication"])
    assert result.unknown == ()
    assert result.family(Replication) == Replication(
        in_recovery=False,
        hidden=0,
        slots_inactive=0,
        retained_bytes=0,
        worst_lag_bytes=0,
        replay_lag_bytes=None,
        replay_lag_seconds=None,
        receiving=None,
        slots=(),
        standbys=(),
    )
