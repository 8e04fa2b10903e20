"""Archives of all that a database can hold, made by any pg_dump, come in and restore alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import Policy
from bounty_ops.errors import RestoreError
from bounty_ops.journal.records import Verdict
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.run import run_program
from bounty_ops.restore.archive_header import read_header
from bounty_ops.restore.import_archive import import_archive, plan_import
from bounty_ops_tests.fix_backups import run
from bounty_ops_tests.fix_servers import all_server_majors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest
    from bounty_ops_tests.fix_backups import Backups

NOW = datetime.now(UTC)


def dumped(url: DatabaseUrl, path: Path, major: int = 17) -> Path:
    arguments = ["--format=custom", f"--file={path}"]
    run_program(find_programs(major), "pg_dump", arguments, url=url)
    return path


def brought_in(backups: Backups, path: Path) -> Manifest:
    plan = plan_import(path, "development", Policy(), now=datetime.now(UTC), taken_at=None)
    return import_archive(
        plan,
        backups.journal,
        work_dir=backups.work_dir,
        imported_by="a test",
        progress=lambda _: None,
    )


@pytest.mark.parametrize("major", [all_server_majors()[0], all_server_majors()[-1]])
@pytest.mark.soak
def test_an_archive_of_any_major_restores_to_the_same_again(
    make_zoo: Callable[..., DatabaseUrl], backups: Backups, tmp_path: Path, major: int
) -> None:
    manifest = brought_in(backups, dumped(make_zoo(major), tmp_path / "zoo.dump", major))
    assert manifest.server_major == major
    assert any("zoo_owner" in line for line in manifest.inventory["tables"])
    proof = backups.verify(manifest)
    assert (proof.verdict, proof.differences) == (Verdict.INCONCLUSIVE, ())
    assert "cannot be proved" in (proof.reason or "")


@pytest.mark.soak
def test_an_archive_in_another_encoding_comes_in(
    fresh_database: DatabaseUrl, backups: Backups, tmp_path: Path
) -> None:
    latin = fresh_database.with_database(f"{fresh_database.database}_latin")
    server = fresh_database.with_database("postgres")
    run(
        server,
        f"CREATE DATABASE {latin.database} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
    )
    try:
        run(latin, "CREATE TABLE word AS SELECT 'Käse' AS text")
        manifest = brought_in(backups, dumped(latin, tmp_path / "latin.dump"))
    finally:
        run(server, f"DROP DATABASE {latin.database} WITH (FORCE)")
    assert '"encoding": "LATIN1"' in manifest.inventory["about_database"][0]
    assert backups.verify(manifest).differences == ()


def test_a_file_that_somebody_still_writes_to_is_not_stored(
    fresh_database: DatabaseUrl, backups: Backups, tmp_path: Path
) -> None:
    run(fresh_database, "CREATE TABLE bounty AS SELECT generate_series(1, 9) AS id")
    path = dumped(fresh_database, tmp_path / "growing.dump")
    plan = plan_import(path, "development", Policy(), now=NOW, taken_at=None)

    def write_on(done: int) -> None:
        if done < path.stat().st_size // 2:  # otherwise it would never end
            return
        with path.open("r+b") as file:
            file.write(b"PGDMP")

    with pytest.raises(RestoreError, match="changed while it was imported"):
        import_archive(
            plan,
            backups.journal,
            work_dir=backups.work_dir,
            imported_by="a test",
            progress=write_on,
        )
    assert backups.keys() == []
    assert backups.left_over() == []


def test_nothing_was_taken_in_the_future(fresh_database: DatabaseUrl, tmp_path: Path) -> None:
    run(fresh_database, "CREATE TABLE bounty (id int)")
    path = dumped(fresh_database, tmp_path / "x.dump")
    earlier = NOW - timedelta(days=400)
    plan = plan_import(path, "development", Policy(), now=earlier, taken_at=None)
    assert plan.taken_at == earlier


LISTING = """\
;
; Archive created at 2026-11-22 03:04:05 CET
;     dbname: bounty
;     TOC Entries: 8
;     Compression: {compression}
;     Dumped from database version: {server}
;     Dumped by pg_dump version: {client}
;
"""


@pytest.mark.parametrize(
    ("told", "meant"),
    [("zstd", "zstd"), ("gzip", "gzip"), ("-1", "gzip"), ("6", "gzip"), ("0", "none")],
)
def test_the_head_of_a_listing_is_read(told: str, meant: str) -> None:
    text = LISTING.format(compression=told, server="14.23 (Debian 14.23-1)", client="17.10 (x)")
    header = read_header(text)
    assert header.created_at == datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
    assert (header.database, header.compression) == ("bounty", meant)
    assert (header.server_version, header.client_version) == ("14.23", "17.10")
    assert header.client_major == 17


def test_a_listing_that_says_too_little_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not say when"):
        read_header("; Archive created at 2026-11-22 03:04:05 UTC\n")


def test_a_header_that_promises_an_archive_and_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.dump"
    path.write_bytes(b"PGDMP" + bytes(100))
    with pytest.raises(RestoreError, match="cannot be read"):
        plan_import(path, "development", Policy(), now=NOW, taken_at=None)
