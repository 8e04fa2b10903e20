"""What the commands about backups answer: documents for machines, tables for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from bounty_ops.cli.console import clock, shown, size, span, state, table
from bounty_ops.journal.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from bounty_ops.environments import BucketLocation
    from bounty_ops.journal.records import (
        BackupSummary,
        Difference,
        Manifest,
        Proof,
        TableRecord,
    )

Document = dict[str, object]
_SHOWN_DIFFERENCES = 20
_SHORT_HASH = 12
_NOTHING_YET = "backup yet. Take one: bounty-ops backup run"


def summary_document(
    summary: BackupSummary, copies: Mapping[tuple[str, str], BackupSummary] | None = None
) -> Document:
    """One backup of a list; with what the second bucket holds of it, where that was asked."""
    document = _summary_document(summary)
    if copies is not None:
        copy = copies.get((summary.environment, summary.id))
        document["copy"] = None if copy is None else _summary_document(copy)
    return document


def _summary_document(summary: BackupSummary) -> Document:
    return {
        "id": summary.id,
        "environment": summary.environment,
        "taken_at": summary.taken_at,
        "state": summary.state,
        "bucket": summary.bucket,
        "key": summary.key,
        "size_bytes": summary.size_bytes,
        "sha256": summary.sha256,
        "verdict": summary.verdict,
        "verified_at": summary.verified_at,
        "problem": summary.problem,
        "retention_class": summary.retention_class,
        "pinned": summary.pinned,
        "locked_until": summary.locked_until,
        "encrypted": summary.encrypted,
        "imported": summary.imported,
        "fetch_seconds": summary.fetch_seconds,
        "restore_seconds": summary.restore_seconds,
    }


def draw_summaries(
    console: Console,
    summaries: Sequence[BackupSummary],
    found: Mapping[tuple[str, str], BackupSummary] | None = None,
    *,
    copies: bool = False,
) -> None:
    """A list of backups, newest first; `found` is what the second bucket holds of them."""
    if not summaries:
        what = "copy yet. Make one: bounty-ops backup copy" if copies else _NOTHING_YET
        console.print(f"There is no {what}")
        return
    columns: tuple[str, ...] = ("ID", "ENVIRONMENT", "TAKEN", ">SIZE", "STATE", "VERDICT", "HELD")
    rows: list[tuple[object, ...]] = [
        (s.id, s.environment, clock(s.taken_at), size(s.size_bytes), state(s.state),
         state(s.verdict), held_back(s))
        for s in summaries
    ]  # fmt: skip
    if found is not None:
        columns = (*columns, "COPY")
        rows = [
            (*row, _copy(found.get((s.environment, s.id))))
            for row, s in zip(rows, summaries, strict=True)
        ]
    console.print(table(columns, rows))


def _copy(copy: BackupSummary | None) -> str:
    return "none" if copy is None else f"{copy.state}, {copy.verdict}"


def held_back(summary: BackupSummary) -> str:
    """Why a prune would not touch it, as far as the bucket itself says."""
    locked = summary.locked_until is not None and summary.locked_until > datetime.now(UTC)
    return ", ".join(word for word, so in (("pinned", summary.pinned), ("locked", locked)) if so)


def verdict_rests_on(summary: BackupSummary, proofs: Sequence[Proof]) -> Proof | None:
    """The verification that a backup has its verdict from."""
    told = [one for one in proofs if one.verified_at == summary.verified_at]
    return told[0] if told else None


def show_document(summary: BackupSummary, manifest: Manifest, proof: Proof | None) -> Document:
    """Everything about one backup."""
    return summary_document(summary) | {
        "reason": proof.reason if proof else None,
        "differences": [_difference(d) for d in proof.differences] if proof else [],
        "database": manifest.database,
        "finished_at": manifest.finished_at,
        "seconds": manifest.seconds,
        "taken_by": manifest.taken_by,
        "server_version": manifest.server_version,
        "client_version": manifest.client_version,
        "revision": manifest.revision,
        "compression": manifest.compression,
        "compare": manifest.compare,
        "recipients": list(manifest.encryption.recipients) if manifest.encryption else [],
        "objects": [
            {
                "key": one.key,
                "size_bytes": one.size_bytes,
                "sha256": one.sha256,
                "table": None if one.table is None else f"{one.table.schema_name}.{one.table.name}",
            }
            for one in manifest.objects
        ],
        "rows": manifest.rows,
        "tables": [
            {"name": table_name(t), "rows": t.rows, "fingerprint": t.fingerprint}
            for t in manifest.tables
        ],
    }


def draw_backup(
    console: Console, summary: BackupSummary, manifest: Manifest, proof: Proof | None
) -> None:
    """One backup with what speaks against it and its tables."""
    _draw_facts(
        console,
        {
            "id": summary.id,
            "environment": f"{manifest.environment} (database {manifest.database})",
            "taken": f"{clock(manifest.taken_at)} in {span(manifest.seconds)} "
            f"by {manifest.taken_by}",
            "object": f"s3://{summary.bucket}/{summary.key}",
            "size": size(summary.size_bytes),
            "sha256": summary.sha256,
            "server": f"PostgreSQL {manifest.server_version} "
            f"(dumped with {manifest.client_version})",
            "revision": manifest.revision,
            "state": state(summary.state),
            "verdict": state(summary.verdict),
            "verified": clock(summary.verified_at),
            **({"reason": shown(proof.reason)} if proof and proof.reason else {}),
            **_imported(manifest),
        },
    )
    if proof is not None and proof.differences:
        console.print()
        _draw_differences(console, proof.differences)
    rows = [
        (
            table_name(t),
            None if t.rows is None else f"{t.rows:,}",
            (t.fingerprint or "-").rpartition(":")[2][:_SHORT_HASH],
        )
        for t in manifest.tables
    ]
    console.print()
    console.print(table(("TABLE", ">ROWS", "FINGERPRINT"), rows))


def _imported(manifest: Manifest) -> dict[str, object]:
    """Whose word it is what a backup of somebody else's making holds."""
    one = manifest.imported
    if one is None:
        return {}
    return {
        "imported": f"{clock(one.imported_at)} from {one.file_name}; what is told below is of a "
        "copy restored then, so it can never be proved"
    }


def table_name(record: TableRecord) -> str:
    """The plain name for a table of `public`, `schema.name` for any other."""
    if record.schema_name == "public":
        return record.name
    return f"{record.schema_name}.{record.name}"


def run_document(manifest: Manifest, summary: Document, proof: Proof | None) -> Document:
    """A backup that was taken just now, and what its verification showed."""
    checked = {} if proof is None else proof_document(proof)
    seconds = manifest.seconds + (0.0 if proof is None else proof.seconds)
    return {
        "id": manifest.id,
        "verdict": Verdict.UNVERIFIED,
        "differences": [],
        "reason": None,
        "tables_compared": 0,
        "rows_compared": 0,
        "verified_at": None,
        "proof_id": None,
        **checked,
        "seconds": seconds,
        "backup_seconds": manifest.seconds,
        "verification_seconds": None if proof is None else proof.seconds,
        **summary,
    }


def place_document(manifest: Manifest, location: BucketLocation) -> Document:
    """Where a backup lies and what it holds."""
    return {
        "environment": manifest.environment,
        "taken_at": manifest.taken_at,
        "bucket": location.bucket,
        "key": location.key(manifest.archive.key),
        "size_bytes": manifest.size_bytes,
        "sha256": manifest.archive.sha256,
        "tables": len(manifest.tables),
        "rows": manifest.rows,
    }


def proof_document(proof: Proof) -> Document:
    """What a verification showed."""
    return {
        "id": proof.backup_id,
        "environment": proof.environment,
        "verdict": proof.verdict,
        "differences": [_difference(d) for d in proof.differences],
        "reason": proof.reason,
        "seconds": proof.seconds,
        "verified_at": proof.verified_at,
        "tables_compared": proof.tables_compared,
        "rows_compared": proof.rows_compared,
        "proof_id": proof.id,
    }


def draw_manifest(console: Console, manifest: Manifest) -> None:
    """The backup half of `backup run`."""
    archive = manifest.archive
    speed = manifest.size_bytes / manifest.seconds if manifest.seconds else None
    console.print(
        f"Backed up {manifest.environment}: {len(manifest.tables)} tables, "
        f"{manifest.rows:,} rows, {size(manifest.size_bytes)} in {span(manifest.seconds)}"
        + (f" ({size(speed)}/s)" if speed else "")
    )
    console.print(f"  id      {manifest.id}")
    console.print(f"  sha256  {archive.sha256}")


def draw_proof(console: Console, proof: Proof | None) -> None:
    """A verdict, and what speaks against the backup."""
    if proof is None:
        console.print("Not verified (--no-verify): nobody knows yet whether it can be restored.")
        return
    line = Text("Verdict: ")
    line.append_text(state(proof.verdict))
    line.append(
        f" ({proof.tables_compared} tables, {proof.rows_compared:,} rows compared "
        f"in {span(proof.seconds)})"
    )
    console.print(line)
    if proof.reason:
        console.print(f"  {shown(proof.reason)}")
    _draw_differences(console, proof.differences)


def _draw_differences(console: Console, differences: Sequence[Difference]) -> None:
    if not differences:
        return
    rows = [(d.kind, d.object, d.expected, d.found) for d in differences[:_SHOWN_DIFFERENCES]]
    console.print(table(("KIND", "OBJECT", "EXPECTED", "FOUND"), rows))
    rest = len(differences) - len(rows)
    if rest:
        console.print(f"... and {rest} more: --json shows all")


def _difference(difference: Difference) -> Document:
    return {
        "kind": difference.kind,
        "object": difference.object,
        "expected": difference.expected,
        "found": difference.found,
    }


def _draw_facts(console: Console, facts: Mapping[str, object]) -> None:
    drawn = table(("", ""), facts.items())
    drawn.show_header = False
    console.print(drawn)
