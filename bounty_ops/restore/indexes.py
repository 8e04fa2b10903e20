"""Checking the indexes of a restored copy with pg_amcheck.

Equal rows say nothing about an index that leads to the wrong ones, as a collation does that sorts
differently here. A restore builds indexes anew, so what is found wrong speaks against this machine
(or a function that the index uses) rather than against the backup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ProgramFailed
from bounty_ops.postgres.run import start_program
from bounty_ops.restore.findings import Inconclusive

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs

_SHOWN: Final = 3
#: B-tree structure and order. That every row is found through every index (--heapallindexed) costs
#: several times a restore, and compares what was built from these rows moments ago.
_OPTIONS: Final = ("--no-password", "--install-missing", "--index=*.*", "--jobs=2")


def check_indexes(programs: Programs, url: DatabaseUrl) -> None:
    """Check every B-tree index of a throw-away copy; installs amcheck in it.

    Raises:
        Inconclusive: an index is damaged, or could not be checked.
        ProgramNotFound: there is no pg_amcheck.
    """
    arguments = [*_OPTIONS, f"--database={url.database}"]
    with start_program(programs, "pg_amcheck", arguments, url=url) as program:
        found = program.stdout.read().decode(errors="replace")
        try:
            program.wait()
        except ProgramFailed as failure:
            lines = [line for line in found.splitlines() if line.strip()][:_SHOWN]
            said = " | ".join(lines) or str(failure)
            raise Inconclusive(f"rows and definitions are equal, but pg_amcheck: {said}") from None
