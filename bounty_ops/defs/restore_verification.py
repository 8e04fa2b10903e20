"""The asset `restore_verification`: a backup restored into a throw-away server and compared."""

from datetime import UTC, datetime
from typing import Final

import dagster as dg

from bounty_ops.alerting import ping_after
from bounty_ops.defs.catalogued import catalogued
from bounty_ops.defs.names import DATABASE_BACKUP, RESTORE_VERIFICATION, Names
from bounty_ops.defs.presentation import UNKNOWN, known, moment, table
from bounty_ops.defs.progress import byte_progress
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.errors import RestoreError
from bounty_ops.journal.catalogue import index_verification
from bounty_ops.journal.records import Manifest, Proof, Verdict
from bounty_ops.restore import verify_backup

PROVED = "proved"


#: What to verify; as it stands, the newest backup.
FIELDS: Final = {
    "backup_id": dg.Field(
        str,
        default_value="",
        description="The id of the backup to verify, as `bounty-ops backup list` shows it. "
        "Empty: the newest one.",
    )
}


def restore_verification_asset(names: Names) -> dg.AssetsDefinition:
    """The asset, with its check `proved`."""
    key = names.asset(RESTORE_VERIFICATION)

    @dg.asset(
        key=key,
        deps=[names.asset(DATABASE_BACKUP)],
        group_name=names.group,
        kinds={"postgres", "s3"},
        tags=names.tags,
        description=(
            "A backup restored into a throw-away server, and every table, sequence and object "
            "compared with what the manifest says. The proof is written next to the backup. "
            "The database itself is not touched."
        ),
        config_schema=FIELDS,
        check_specs=[
            dg.AssetCheckSpec(
                PROVED, asset=key, description="The restored copy equals the source's snapshot."
            )
        ],
    )
    def restore_verification(
        context: dg.AssetExecutionContext,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster knows the bare class only
        wanted = context.op_execution_context.op_config["backup_id"].strip()
        with workplace(names.environment, database=False) as place:
            manifest = _chosen(place, wanted)
            context.log.info("restoring backup %s", manifest.id)
            proof = verify_backup(
                manifest,
                place.journal(),
                work_dir=place.settings.state_dir / "work",
                identities=place.settings.identities(encrypted=manifest.encryption is not None),
                server=place.settings.drill_server(),
                progress=byte_progress(context.log, "restored"),
            )
            catalogue = catalogued(
                context.log, place, lambda engine: index_verification(engine, proof)
            )
            pinged = ping_after(place.environment, manifest, proof, now=datetime.now(UTC))
        return dg.MaterializeResult(
            metadata={
                **proof_metadata(proof),
                "catalogue": catalogue,
                "ping": "not set up" if pinged is None else str(pinged),
            },
            data_version=dg.DataVersion(proof.id),
            check_results=[proved(proof)],
        )

    return restore_verification


def _chosen(place: Workplace, backup_id: str) -> Manifest:
    journal = place.journal()
    if not backup_id:
        # An archive that was imported at night must not be taken for the night's backup.
        everything = journal.summaries(place.environment.name)
        summaries = [one for one in everything if not one.imported]
        if not summaries:
            raise RestoreError(
                f"there is no backup of {place.environment.name} to verify",
                hint=f"Materialize {place.environment.name}/{DATABASE_BACKUP} first.",
            )
        backup_id = summaries[0].id
    return journal.find(backup_id, place.environment.name)


def proved(proof: Proof) -> dg.AssetCheckResult:
    """The check's result; an inconclusive drill has proved nothing, so it does not pass."""
    what = {
        Verdict.PROVED: f"{proof.tables_compared} tables with {proof.rows_compared:,} rows equal "
        "the source",
        Verdict.REFUTED: f"{len(proof.differences)} differences",
        Verdict.INCONCLUSIVE: f"the drill itself failed: {proof.reason}",
    }[proof.verdict]
    return dg.AssetCheckResult(
        check_name=PROVED,
        passed=proof.verdict is Verdict.PROVED,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{proof.verdict.value}: {what}",
        metadata={"backup_id": proof.backup_id, "proof_id": proof.id},
    )


def proof_metadata(proof: Proof) -> dict[str, dg.MetadataValue]:
    """What the asset page shows; numbers are plain, so that they plot."""
    differences = table(
        ["kind", "object", "expected", "found"],
        [
            (
                each.kind,
                each.object,
                "nothing" if each.expected is None else each.expected,
                "nothing" if each.found is None else each.found,
            )
            for each in proof.differences
        ],
    )
    return {
        "verdict": dg.MetadataValue.md(f"**{proof.verdict.value}**"),
        "backup_id": dg.MetadataValue.text(proof.backup_id),
        "proof_id": dg.MetadataValue.text(proof.id),
        "seconds": dg.MetadataValue.float(proof.seconds),
        "fetch_seconds": _timed(proof.fetch_seconds),
        "restore_seconds": _timed(proof.restore_seconds),
        "compare_seconds": _timed(proof.compare_seconds),
        "compare": dg.MetadataValue.text(proof.compare),
        "tables_compared": dg.MetadataValue.int(proof.tables_compared),
        "rows_compared": dg.MetadataValue.int(proof.rows_compared),
        "differences_found": dg.MetadataValue.int(len(proof.differences)),
        "differences": dg.MetadataValue.md(differences),
        "reason": dg.MetadataValue.text(str(known(proof.reason)) if proof.reason else "none"),
        "verified_at": moment(proof.verified_at),
        "manifest_sha256": dg.MetadataValue.text(proof.manifest_sha256),
        "server_version": dg.MetadataValue.text(proof.server_version),
    }


def _timed(seconds: float | None) -> dg.MetadataValue:
    """A plain number, so that it plots; the word where a part did not come to its end."""
    if seconds is None:
        return dg.MetadataValue.text(UNKNOWN)
    return dg.MetadataValue.float(seconds)
