"""Which night goes first where many wait: the one whose database was proved longest ago."""

from datetime import datetime
from typing import Final

import dagster as dg

from bounty_ops.defs.names import RESTORE_VERIFICATION, Names
from bounty_ops.journal.records import Verdict

#: Dagster takes the run with the greatest number first, and 0 is the number of all other runs:
#: what a person launches, and what measures, never waits behind a fleet's nights.
PRIORITY_TAG: Final = "dagster/priority"
_FRESHEST: Final = -1_000
_LONGEST: Final = -1
#: Of what compares a schema every night: it can wait until all nights have begun.
AFTER_THE_NIGHTS: Final = -2_000
#: Of so many verifications the newest that proved something is looked for.
_LOOKED_AT: Final = 10


def priority(instance: dg.DagsterInstance, names: Names, now: datetime) -> int:
    """The priority of a night that is launched now, from -1000 (just proved) to -1 (never).

    Each full hour since the newest proof counts one. What is asked is Dagster's own record of the
    verifications, because a tick of a thousand schedules must not list a bucket a thousand times.
    """
    found = instance.fetch_materializations(names.asset(RESTORE_VERIFICATION), limit=_LOOKED_AT)
    proved = [record.timestamp for record in found.records if _proves(record)]
    if not proved:
        return _LONGEST
    hours = int(now.timestamp() - max(proved)) // 3600
    return min(max(_FRESHEST, _FRESHEST + hours), _LONGEST)


def _proves(record: dg.EventLogRecord) -> bool:
    shown = record.asset_materialization
    verdict = shown.metadata.get("verdict") if shown else None
    return verdict is not None and str(verdict.value).strip("*") == Verdict.PROVED.value
