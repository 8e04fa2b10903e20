"""`backup rebuild-catalogue`: the operations database made again from the bucket alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bounty_ops.environments import DatabaseUrl
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops_tests.fix_command_line import CommandLine


def catalogue(line: CommandLine) -> list[Any]:
    url = DatabaseUrl.parse(line.variables["OPS_DATABASE_URL"])
    query = (
        "SELECT b.id, v.verdict FROM bounty_ops.backup b "
        "LEFT JOIN bounty_ops.verification v ON v.backup_id = b.id ORDER BY b.taken_at"
    )
    with psycopg.connect(**url.conninfo()) as connection:  # type: ignore[arg-type] # all are text
        return connection.execute(query).fetchall()


def test_a_new_operations_database_learns_everything_from_the_bucket(
    filled: CommandLine, make_database: Callable[..., DatabaseUrl]
) -> None:
    proved = filled.run("backup", "run", "--json").document["id"]
    unverified = filled.run("backup", "run", "--no-verify", "--json").document["id"]
    fresh = filled.with_variables(OPS_DATABASE_URL=make_database().text())

    done = fresh.run("backup", "rebuild-catalogue", "--json")

    assert (done.code, done.stderr) == (0, "")
    assert set(done.document) == documented_fields("backup rebuild-catalogue")
    assert done.document == {
        "bucket": fresh.variables["BACKUP_BUCKET"],
        "backups": 2,
        "verifications": 1,
        "migrations": 0,
        "damaged": 0,
    }
    assert catalogue(fresh) == catalogue(filled) == [(proved, "proved"), (unverified, None)]


def test_it_needs_no_environment_that_works(filled: CommandLine) -> None:
    """After a disaster there is a bucket, and perhaps nothing else yet."""
    filled.run("backup", "run", "--no-verify")
    (filled.home / ".env.production").write_text("DATABASE_URL=nonsense\n")
    variables = {k: v for k, v in filled.variables.items() if k != "DATABASE_URL"}
    without = type(filled)(filled.home, variables, filled.secrets)
    done = without.run("backup", "rebuild-catalogue")
    assert done.code == 0, done.stderr
    assert "1 backup, 0 verifications, 0 migrations." in done.stdout


@pytest.mark.soak
def test_what_is_gone_or_damaged_in_the_bucket_is_left_out_and_said(
    filled: CommandLine, s3_prefix: ObjectStoreSettings
) -> None:
    gone = filled.run("backup", "run", "--no-verify", "--json").document["id"]
    damaged = filled.run("backup", "run", "--no-verify", "--json").document["id"]
    store = ObjectStore(s3_prefix)
    for entry in list(store.list("backups/")):
        if gone in entry.key or (damaged in entry.key and entry.key.endswith("archive.dump")):
            store.delete(entry.key)

    done = filled.run("backup", "rebuild-catalogue")

    assert done.code == 0
    assert "0 backups" in done.stdout
    assert done.error_lines[0].startswith("warning: left out: 1 damaged backup;")
    assert catalogue(filled) == []


def test_an_empty_bucket_asks_whether_it_is_the_right_one(command_line: CommandLine) -> None:
    said = command_line.run("backup", "rebuild-catalogue").stdout
    assert "Was another prefix meant in BACKUP_BUCKET?" in said


def test_an_operations_database_that_is_away_or_missing_is_two_lines(filled: CommandLine) -> None:
    ops = filled.variables["OPS_DATABASE_URL"]
    for url in ("postgresql://ops:planted@127.0.0.1:1/ops", f"{ops}_gone"):
        done = filled.with_variables(OPS_DATABASE_URL=url).run("backup", "rebuild-catalogue")
        assert done.code == 3
        assert [line.split(":")[0] for line in done.error_lines] == ["error", "hint"]
        assert "planted" not in done.stderr


def test_a_bucket_that_is_gone_leaves_the_catalogue_as_it_is(filled: CommandLine) -> None:
    filled.run("backup", "run", "--no-verify")
    before = catalogue(filled)
    away = filled.with_variables(BACKUP_BUCKET="s3://no-such-bucket-here")
    done = away.run("backup", "rebuild-catalogue", "--json")
    assert done.code == 3
    assert "no-such-bucket-here" in done.document["error"]["message"]
    assert catalogue(filled) == before
    assert len(before) == 1
