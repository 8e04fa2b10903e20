"""pg_dump is only asked for a compression that it can do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.backup.compression import compression_argument, usable_compression
from bounty_ops.postgres.programs import Programs, find_programs
from bounty_ops_tests.fix_servers import oldest_and_newest_major

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.fix_backups import Backups


@pytest.mark.parametrize("major", oldest_and_newest_major())
@pytest.mark.many(every=2)
def test_zstd_is_used_where_it_is_known(
    make_zoo: Callable[[int], DatabaseUrl], backups: Backups, major: int
) -> None:
    manifest = backups.take(make_zoo(major), compression="zstd:1")

    assert manifest.compression == ("zstd:1" if major >= 16 else "gzip:1")
    assert manifest.archive.size_bytes > 0


@pytest.mark.parametrize("wanted", ["lz4", "gzip:6", "gzip", "none"])
def test_other_wishes_are_granted(zoo: DatabaseUrl, backups: Backups, wanted: str) -> None:
    assert backups.take(zoo, compression=wanted).compression == wanted


@pytest.mark.parametrize(
    ("major", "compression", "argument"),
    [
        (17, "zstd:1", "--compress=zstd:1"),
        (17, "none", "--compress=none"),
        (16, "gzip", "--compress=gzip"),
        (15, "gzip:3", "--compress=3"),
        (15, "gzip", "--compress=6"),
        (14, "none", "--compress=0"),
    ],
)
def test_older_programs_know_levels_only(major: int, compression: str, argument: str) -> None:
    programs = Programs(Path("/nowhere"), major, f"{major}.0")

    assert compression_argument(programs, compression) == argument


def test_what_is_not_built_in_falls_back_to_gzip(tmp_path: Path) -> None:
    real = find_programs(17).path("pg_dump")
    script = tmp_path / "pg_dump"
    script.write_text(
        "#!/bin/sh\n"
        'case "$*" in *--compress=lz4*)\n'
        '  echo "pg_dump: error: this build does not support compression with LZ4" >&2; exit 1;;\n'
        f'esac\nexec "{real}" "$@"\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    programs = Programs(tmp_path, 17, "17.0")

    assert usable_compression(programs, "lz4:1") == "gzip:1"
    assert usable_compression(programs, "zstd:1") == "zstd:1"
