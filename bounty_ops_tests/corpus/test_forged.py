"""Archives that are damaged and hashed afterwards: the restored copy gives them away."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.journal.records import Verdict
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.run import run_program
from bounty_ops.restore import judge
from bounty_ops.restore.fetch import Fetched
from bounty_ops.restore.findings import Inconclusive, Refuted
from bounty_ops.restore.observing import observe
from bounty_ops.restore.restoring import restore_archive
from bounty_ops.restore.sandbox import make_sandbox
from bounty_ops_tests.corpus import forged
from bounty_ops_tests.corpus.archive_format import layout
from bounty_ops_tests.corpus.damage import flipped
from bounty_ops_tests.fix_backups import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.fix_backups import Backups

TABLES = ("person", "letter")
SILENT = "restored without an error, with as many rows"


@pytest.fixture
def source(fresh_database: DatabaseUrl) -> DatabaseUrl:
    run(fresh_database, *forged.SOURCE)
    return fresh_database


@pytest.fixture
def cluster(pg_programs: Programs, tmp_path: Path) -> Iterator[DatabaseUrl]:
    with throwaway_cluster(pg_programs, work_dir=tmp_path / "drill") as url:
        yield url


def rows(url: DatabaseUrl) -> dict[str, list[str]]:
    """All rows as COPY writes them, read without any of our own fingerprints."""
    found = {}
    with connect(url, application_name="tests") as connection:
        for table in TABLES:
            with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
                found[table] = sorted(bytes(line).decode() for line in copy)
    return found


def definitions(programs: Programs, url: DatabaseUrl) -> str:
    """The schema as pg_dump writes it."""
    arguments = ["--schema-only", "--restrict-key=test"]
    return run_program(programs, "pg_dump", arguments, url=url)


class Drill:
    """Restores damaged archives, and says what came of each."""

    def __init__(self, programs: Programs, cluster: DatabaseUrl, source: DatabaseUrl) -> None:
        self._programs = programs
        self._cluster = cluster
        self._rows = rows(source)
        self._definitions = definitions(programs, source)
        self.outcomes: Counter[str] = Counter()

    def wrongly_proved(self, manifest: Manifest, archive: Path) -> bool:
        """Whether a copy is called equal that is not."""
        sandbox = make_sandbox(self._cluster, manifest)
        try:
            restore_archive(self._programs, sandbox, Fetched(archive), jobs=1)
        except (Refuted, Inconclusive) as finding:
            self.outcomes[type(finding).__name__] += 1
            return False
        judgement = judge(manifest, observe(sandbox.url))
        if judgement.verdict is Verdict.PROVED:
            self.outcomes["harmless"] += 1
            return (
                rows(sandbox.url) != self._rows
                or definitions(self._programs, sandbox.url) != self._definitions
            )
        same_counts = not any(one.kind in {"rows", "table"} for one in judgement.differences)
        self.outcomes[SILENT if same_counts else "other rows"] += 1
        return False


@pytest.mark.soak
def test_no_archive_that_was_damaged_before_it_was_hashed_is_proved(
    source: DatabaseUrl,
    cluster: DatabaseUrl,
    backups: Backups,
    pg_programs: Programs,
    tmp_path: Path,
) -> None:
    drill = Drill(pg_programs, cluster, source)
    taken = {one: backups.take(source, compression=one) for one in forged.COMPRESSIONS}
    archives = {one: backups.store.get(taken[one].archive.key) for one in taken}
    wrong = []
    for case in forged.ALL:
        archive = archives[case.compression]
        parts = layout(archive)
        place = parts.contents if case.place == "contents" else parts.data[case.place]
        path = tmp_path / secrets.token_hex(6)
        path.write_bytes(flipped(archive, place, 1, case.label))
        if drill.wrongly_proved(taken[case.compression], path):
            wrong.append(case.label)
        path.unlink()

    assert wrong == []
    assert drill.outcomes[SILENT] > 10, drill.outcomes  # else these cases try nothing
    assert drill.outcomes["harmless"] < len(forged.ALL) / 4, drill.outcomes
