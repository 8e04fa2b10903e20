"""Running pg_restore, and telling a bad backup from a bad place to restore it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import PostgresError, ProgramFailed
from bounty_ops.journal.records import Difference
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.run import start_program
from bounty_ops.restore.findings import Inconclusive, Refuted
from bounty_ops.restore.order import restore_in_order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs
    from bounty_ops.restore.fetch import Fetched
    from bounty_ops.restore.sandbox import Sandbox

#: First in parallel, which is fast. Only the second can refute: pg_restore's own jobs may run into
#: a deadlock with each other, or grant a privilege before another one that it needs.
JOBS: Final = (2, 1)
_ENTRY: Final = re.compile(r"^pg_restore: from TOC entry \d+; \d+ \d+ (.*)$")
_ERROR: Final = re.compile(r"^pg_restore: (?:\[[^\]]*\] )?error: (.*)$")
#: Failures of rows are told without their entry.
_COPY_FAILED: Final = re.compile(r'COPY failed for table "(.*?)": ')
#: Values of rows may be quoted after a colon; they do not belong into a proof.
_QUOTED_VALUE: Final = re.compile(r': ".*"?$')

#: Entries that come from the server's installation rather than from the archive.
_FROM_THE_MACHINE: Final = ("EXTENSION ", "COLLATION ", "PROCEDURAL LANGUAGE ", "ACCESS METHOD ")
#: What a program says of an option that only newer releases know (docs/decisions/0158).
_INTERNAL_OPTION: Final = re.compile(r'unrecognized parameter "pg_\w+"')
#: PostgreSQL's own messages for a machine that has run out of something, or a server that ended.
_MACHINE_FAILED: Final = re.compile(
    r"No space left on device"
    r"|Disk quota exceeded"
    r"|File too large"
    r"|Read-only file system"
    r"|Input/output error"
    r"|Too many open files"
    r"|Cannot allocate memory"
    r"|could not extend file"
    r"|could not read blocks? "
    r"|could not write blocks? "
    r"|invalid page in block"
    r"|out of memory"
    r"|out of shared memory"
    r"|could not resize shared memory"
    r"|could not fork"
    r"|server closed the connection unexpectedly"
    r"|terminating connection (?:due to administrator command|because of crash)"
    r"|the database system is (?:starting up|shutting down|in recovery mode|not (?:yet )?accepting)"
    r"|connection to server .* failed"
    r"|could not (?:load library|access file) \""
)


#: For a drill. Tablespaces are another machine's. Subscriptions would hold passwords of other
#: servers, and security labels need the module that gave them; neither is part of what is compared.
DRILL_OPTIONS: Final = (
    "--exit-on-error",
    "--no-tablespaces",
    "--no-subscriptions",
    "--no-security-labels",
)


class RestoreFailed(ProgramFailed):
    """pg_restore ended badly; `lines` are what it wrote to standard error."""

    def __init__(self, failure: ProgramFailed, lines: list[str]) -> None:
        super().__init__(str(failure), hint=failure.hint)
        self.lines = lines


def restore_arguments(
    database: str, archive: Path, *, jobs: int, options: Sequence[str]
) -> list[str]:
    """The arguments of pg_restore; where to connect and as whom is never among them."""
    return [
        "--no-password",
        *options,
        f"--jobs={jobs}",
        f"--dbname={database}",
        str(archive),
    ]


def restore_fetched(
    programs: Programs,
    url: DatabaseUrl,
    fetched: Fetched,
    *,
    jobs: int,
    options: Sequence[str] = (),
) -> None:
    """Restore a backup's archives into an empty database, in the order that they ask for.

    Args:
        programs: of the archive's major version.
        url: the database.
        fetched: the archives.
        jobs: how many sessions restore at a time; with 1 everything happens in one fixed order.
        options: of pg_restore, besides where and what.

    Raises:
        RestoreFailed: pg_restore ended badly.
    """

    def run(archive: Path, section: str | None, *, jobs: int) -> None:
        only = () if section is None else (f"--section={section}",)
        _pg_restore(programs, url, archive, jobs=jobs, options=(*options, *only))

    restore_in_order(fetched.main, fetched.shards, run, jobs=jobs)


def _pg_restore(
    programs: Programs, url: DatabaseUrl, archive: Path, *, jobs: int, options: Sequence[str]
) -> None:
    arguments = restore_arguments(url.database, archive, jobs=jobs, options=options)
    with start_program(programs, "pg_restore", arguments, url=url) as program:
        program.stdout.read()
        try:
            program.wait()
        except ProgramFailed as failure:
            raise RestoreFailed(failure, program.error_lines()) from None


def restore_archive(programs: Programs, sandbox: Sandbox, fetched: Fetched, *, jobs: int) -> None:
    """Restore a backup into the sandbox.

    Raises:
        Refuted: the backup does not restore, and nothing here is to blame.
        Inconclusive: something here is to blame.
    """
    try:
        restore_fetched(programs, sandbox.url, fetched, jobs=jobs, options=DRILL_OPTIONS)
    except RestoreFailed as failure:
        entry, message = first_error(failure.lines)
        reason = _blame_the_machine(sandbox, failure.lines, entry, message, failure)
        if _INTERNAL_OPTION.search(message):
            reason = (
                f"the archive sets an option that is PostgreSQL's own ({message}), as a pg_dump "
                "writes that is older than its server's minor release: update the PostgreSQL "
                f"programs here (they are {programs.version}), back up and verify again"
            )
        if reason:
            raise Inconclusive(reason) from None
        raise Refuted(
            Difference(
                kind="restore",
                object=entry or "archive",
                expected="restores without an error",
                found=message,
            )
        ) from None


def first_error(lines: Sequence[str]) -> tuple[str, str]:
    """The entry of the archive that failed first ('' if none is named), and what was said.

    Statements, details and values of rows are left out: they hold a customer's data.
    """
    entry = ""
    for line in lines:
        if match := _ENTRY.match(line):
            entry = match[1]
        elif match := _ERROR.match(line):
            message = _QUOTED_VALUE.sub(": ...", match[1])
            table = _COPY_FAILED.match(message)
            return entry or (f"TABLE DATA {table[1]}" if table else ""), message
    return entry, ""


def is_machines_fault(lines: Sequence[str], entry: str) -> bool:
    """Whether what pg_restore wrote tells of this machine rather than of the archive."""
    # Without the values of rows, which may say anything.
    told = [
        _QUOTED_VALUE.sub("", line)
        for line in lines
        if any(word in line for word in ("error: ", "ERROR: ", "FATAL: "))
    ]
    return entry.startswith(_FROM_THE_MACHINE) or any(map(_MACHINE_FAILED.search, told))


def _blame_the_machine(
    sandbox: Sandbox, lines: Sequence[str], entry: str, message: str, failure: ProgramFailed
) -> str | None:
    """Why the failure says nothing about the backup; None if it does."""
    if not message:
        return f"pg_restore ended without a word: {failure}"
    where = f" at {entry}" if entry else ""
    if is_machines_fault(lines, entry) or not _answers(sandbox.url):
        return f"the restore failed here{where}: {message}"
    if sandbox.departures:
        return f"the restore failed{where}: {message}; but {'; '.join(sandbox.departures)}"
    return None


def _answers(url: DatabaseUrl) -> bool:
    try:
        with connect(url, application_name="bounty-ops verification") as connection:
            connection.execute("SELECT 1")
    except PostgresError:
        return False
    return True
