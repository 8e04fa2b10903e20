"""Filling a database from a backup's archives with progress, for somebody who waits for it."""

from __future__ import annotations

import dataclasses
import re
import select
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ProgramFailed, RestoreError
from bounty_ops.postgres.run import run_program, start_program
from bounty_ops.restore.order import restore_in_order
from bounty_ops.restore.restoring import first_error
from bounty_ops.restore.target import APPLICATION_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs
    from bounty_ops.postgres.run import RunningProgram

_LOOK_SECONDS: Final = 0.3
_STATISTICS_SINCE: Final = 18
#: One of these when an entry of an archive begins, from whichever job works on it.
_BEGINS: Final = re.compile(r"pg_restore: (?:creating|processing data for|executing) ")
#: Besides, for each entry that is given to a job.
_LAUNCHED: Final = "pg_restore: launching item "
_FINISHED: Final = "pg_restore: finished item "
_CHATTER: Final = re.compile(
    r"pg_restore: (?:creating|processing|executing|launching|finished|connecting|entering|"
    r"implied|skipping|dropping|setting|disabling|enabling|restor(?:ing|ed)|reading|warning) ?"
)


@dataclass(frozen=True)
class Manner:
    """How archives are to be restored."""

    jobs: int = 1
    no_owner: bool = False
    single_transaction: bool = False
    """All or nothing; only without shards."""
    without_statistics: bool = False
    """Statistics hold samples of rows."""
    chosen: Path | None = None
    """A list of entries of the main archive; None for all."""


@dataclass
class Entries:
    """Counts entries of the archives as they are restored."""

    total: int
    report: Callable[[int, int], None]
    _begun: int = field(default=0, init=False)
    _launched: int = field(default=0, init=False)
    _finished: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def add(self, lines: Sequence[str]) -> None:
        """Count what pg_restore has said; the last large index is not done when it begins."""
        with self._lock:
            self._begun += sum(1 for line in lines if _BEGINS.match(line))
            self._launched += sum(1 for line in lines if line.startswith(_LAUNCHED))
            self._finished += sum(1 for line in lines if line.startswith(_FINISHED))
            under_way = self._launched - self._finished if self._launched else 1
            done = max(0, self._begun - under_way)
            self.report(min(done, self.total), self.total)


def load(
    programs: Programs,
    url: DatabaseUrl,
    main: Path,
    shards: Sequence[Path],
    manner: Manner,
    *,
    progress: Callable[[int, int], None],
) -> None:
    """Restore archives into an empty database.

    Args:
        programs: of the server's major.
        url: of the database.
        main: the archive of everything but the shards' rows.
        shards: archives of the rows of one table each.
        manner: how.
        progress: called with the number of entries restored, and of all.

    Raises:
        RestoreError: pg_restore failed; the database holds a part of it then.
    """
    entries = Entries(count_entries(programs, main) + len(shards), progress)
    url = _named(url)

    def run(archive: Path, section: str | None, *, jobs: int) -> None:
        chosen = manner.chosen if archive == main else None
        how = dataclasses.replace(manner, jobs=jobs, chosen=chosen)
        _run(programs, url, archive, how, entries, section=section)

    restore_in_order(main, shards, run, jobs=manner.jobs)
    progress(entries.total, entries.total)


def count_entries(programs: Programs, archive: Path) -> int:
    """How many entries an archive has."""
    listing = run_program(programs, "pg_restore", ["--list", str(archive)])
    return sum(1 for line in listing.splitlines() if line and not line.startswith(";"))


def restore_options(programs: Programs, manner: Manner) -> list[str]:
    """What pg_restore is told, besides where and what.

    Tablespaces are another server's. Subscriptions would begin to receive what the source's do,
    and security labels need the module that gave them.
    """
    options = [
        "--exit-on-error", "--verbose", "--no-password", "--no-tablespaces", "--no-subscriptions",
        "--no-security-labels",
    ]  # fmt: skip
    if manner.no_owner:
        options += ["--no-owner", "--no-acl"]
    if manner.single_transaction:
        options.append("--single-transaction")
    elif manner.jobs > 1:
        options.append(f"--jobs={manner.jobs}")
    if manner.without_statistics and programs.major >= _STATISTICS_SINCE:
        options.append("--no-statistics")
    if manner.chosen is not None:
        options.append(f"--use-list={manner.chosen}")
    return options


def _run(
    programs: Programs,
    url: DatabaseUrl,
    archive: Path,
    manner: Manner,
    entries: Entries,
    *,
    section: str | None,
) -> None:
    arguments = restore_options(programs, manner)
    if section is not None:
        arguments.append(f"--section={section}")
    arguments += [f"--dbname={url.database}", str(archive)]
    with start_program(programs, "pg_restore", arguments, url=url) as program:
        said = _follow(program, entries)
        try:
            program.wait()
        except ProgramFailed as failure:
            entry, message = first_error([*said, *program.new_error_lines()])
            where = f" at {entry}" if entry else ""
            raise RestoreError(
                f"the restore failed{where}: {message}"
                if message
                else f"the restore failed: {failure}",
                hint="Correct the cause and run it again. What the target held is untouched.",
            ) from None


def _follow(program: RunningProgram, entries: Entries) -> list[str]:
    """Count entries until the end of its output; returns what else it said."""
    said: list[str] = []
    ended = False
    while not ended:
        readable, _, _ = select.select([program.stdout], [], [], _LOOK_SECONDS)
        ended = bool(readable) and not program.stdout.read()
        lines = program.new_error_lines()
        entries.add(lines)
        said += [line for line in lines if not _CHATTER.match(line)]
    return said


def _named(url: DatabaseUrl) -> DatabaseUrl:
    """The address with the name under which operators find our sessions."""
    kept = tuple(pair for pair in url.parameters if pair[0] != "application_name")
    return dataclasses.replace(url, parameters=(*kept, ("application_name", APPLICATION_NAME)))
