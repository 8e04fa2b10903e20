"""A code location of a small fleet: a job for each database, whose one operation only takes time.

It is loaded by Dagster, which does not read annotations that are strings.
"""

import time
from typing import Final

import dagster as dg

from bounty_ops.defs.names import SERVER_TAG

DATABASES: Final = 20
_OF_ONE_SERVER: Final = 5
_SECONDS: Final = 0.5


def name(number: int) -> str:
    """The job of a database."""
    return f"night_{number:02}"


def server(number: int) -> str:
    """Where that database is: five of them on each server."""
    return f"server_{number // _OF_ONE_SERVER}"


def _night(number: int) -> dg.JobDefinition:
    @dg.op(name=f"work_{number:02}", pool=f"{name(number)}_database")
    def work() -> None:
        time.sleep(_SECONDS)

    @dg.job(
        name=name(number),
        tags={SERVER_TAG: server(number)},
        executor_def=dg.in_process_executor,
    )
    def night() -> None:
        work()

    return night


defs = dg.Definitions(jobs=[_night(number) for number in range(DATABASES)])
