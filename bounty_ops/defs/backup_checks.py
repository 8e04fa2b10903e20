"""Checks of the newest backup that need the bucket and nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from bounty_ops.alerting import size_change
from bounty_ops.backup.encryption import opens
from bounty_ops.defs.names import DATABASE_BACKUP, Names
from bounty_ops.defs.presentation import size
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.records import BackupState, BackupSummary, Manifest

SIZE: Final = "size"
RECOVERABLE_KEY: Final = "recoverable_key"


def size_check(names: Names) -> dg.AssetChecksDefinition:
    """The check `size`: rows that were lost are missing from a perfect backup, too."""

    @dg.asset_check(
        asset=names.asset(DATABASE_BACKUP),
        name=SIZE,
        description="The newest backup is about as large as the median of those before it "
        "(`size_change_ratio`).",
    )
    def usual_size() -> dg.AssetCheckResult:
        def judge(place: Workplace) -> dg.AssetCheckResult:
            summaries = place.journal().summaries(names.environment)
            ratio = place.environment.policy.size_change_ratio
            return unusual_size(summaries, ratio, datetime.now(UTC))

        return _judged(names, judge)

    return usual_size


def unusual_size(
    summaries: list[BackupSummary], limit: float, now: datetime
) -> dg.AssetCheckResult:
    """Judge the size of the newest backup; with too few to compare, nothing speaks against it."""
    change = size_change(summaries, limit, now)
    if change is None:
        return dg.AssetCheckResult(
            passed=True,
            severity=dg.AssetCheckSeverity.WARN,
            description="there are too few earlier backups to say what is usual",
        )
    return dg.AssetCheckResult(
        passed=not change.anomalous,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{change.backup_id} has {size(change.size_bytes)}, {change.ratio:.2f} times "
        f"the median of the {change.compared} before it",
        metadata={
            "size_bytes": dg.MetadataValue.int(change.size_bytes),
            "median_bytes": dg.MetadataValue.float(change.median_bytes),
            "ratio": dg.MetadataValue.float(round(change.ratio, 4)),
            "size_change_ratio": dg.MetadataValue.float(limit),
        },
    )


def recoverable_key_check(names: Names) -> dg.AssetChecksDefinition:
    """The check `recoverable_key`: an encrypted backup without its key is lost."""

    @dg.asset_check(
        asset=names.asset(DATABASE_BACKUP),
        name=RECOVERABLE_KEY,
        description="The newest backup is not encrypted by us, or a private key that is set here "
        "(`BACKUP_AGE_IDENTITY`, `BACKUP_AGE_IDENTITY_FILE`) opens it.",
    )
    def recoverable_key() -> dg.AssetCheckResult:
        return _judged(names, lambda place: key_opens(place, names.environment))

    return recoverable_key


def key_opens(place: Workplace, environment: str) -> dg.AssetCheckResult:
    """Judge the newest whole backup by its own header, not by what a setting promises."""
    journal, identities = place.journal(), place.settings.age_identities
    summaries = journal.summaries(environment)
    newest = next((one for one in summaries if one.state is BackupState.COMPLETE), None)
    if newest is None:
        return dg.AssetCheckResult(passed=False, description="there is no complete backup")
    manifest = journal.read_manifest(environment, newest.id)
    if opens(manifest, journal.store, identities):
        how = "is not encrypted by us" if manifest.encryption is None else "opens with a key here"
        return dg.AssetCheckResult(passed=True, description=f"{newest.id} {how}")
    # A key that is kept elsewhere on purpose is worth a reminder; a key that does not fit is
    # found out here, or on the day of the disaster.
    severity = dg.AssetCheckSeverity.ERROR if identities else dg.AssetCheckSeverity.WARN
    why = "none of the private keys set here opens it" if identities else "no private key is set"
    return dg.AssetCheckResult(
        passed=False,
        severity=severity,
        description=f"{newest.id} is encrypted, and {why}",
        metadata={"recipients": _recipients(manifest)},
    )


def _recipients(manifest: Manifest) -> str:
    return "none" if manifest.encryption is None else ", ".join(manifest.encryption.recipients)


def _judged(names: Names, judge: Callable[[Workplace], dg.AssetCheckResult]) -> dg.AssetCheckResult:
    with workplace(names.environment, database=False, ops=False) as place:
        try:
            return judge(place)
        except BountyOpsError as error:
            # What cannot be read cannot be restored from; that is an answer, not a crash.
            return dg.AssetCheckResult(
                passed=False,
                description=place.secrets.hide(f"the bucket cannot be read: {error}"),
                metadata={"what to do": place.secrets.hide(error.hint)},
            )
