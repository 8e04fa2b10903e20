"""What the commands about keeping answer: prune, pin, unpin and copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.cli.console import clock, shown, size, state, table

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.backup.copies import CopyRound
    from bounty_ops.backup.prune import Pruned, PrunePlan
    from bounty_ops.backup.retention import Decision
    from bounty_ops.journal.records import Pin

Document = dict[str, object]


def plan_document(plan: PrunePlan, outcome: str, pruned: Pruned | None = None) -> Document:
    """What a prune would do, or did."""
    return {
        "environment": plan.environment,
        "bucket": plan.bucket,
        "outcome": outcome,
        "refused": plan.retention.refused,
        "digest": plan.digest,
        "keep": [_decision(one) for one in plan.retention.keep],
        "delete": [_decision(one) for one in plan.retention.delete],
        "deleted": [] if pruned is None else pruned.deleted,
        "freed_bytes": plan.freed_bytes if pruned is None else pruned.freed_bytes,
        "spared": {} if pruned is None else pruned.spared,
        "problems": {} if pruned is None else pruned.problems,
    }


def draw_plan(console: Console, plan: PrunePlan) -> None:
    """Every backup with what becomes of it, and why."""
    decided = [
        *((one, "keep") for one in plan.retention.keep),
        *((one, "delete") for one in plan.retention.delete),
    ]
    if not decided:
        console.print(f"There is no backup of {plan.environment} in {plan.bucket}.")
        return
    decided.sort(key=lambda pair: (pair[0].backup.taken_at, pair[0].backup.id), reverse=True)
    rows = [
        (one.backup.id, clock(one.backup.taken_at), size(one.backup.size_bytes),
         state(one.backup.standing), what, "; ".join(one.reasons))
        for one, what in decided
    ]  # fmt: skip
    console.print(f"Backups of {plan.environment} in {plan.bucket}:")
    console.print(table(("ID", "TAKEN", ">SIZE", "STANDING", "PLAN", "WHY"), rows))
    console.print(
        f"\n{len(plan.retention.delete)} of {len(decided)} to delete, "
        f"which frees {size(plan.freed_bytes)}"
    )
    if plan.retention.refused is not None:
        console.print(f"refused: {shown(plan.retention.refused)}")


def draw_pruned(console: Console, plan: PrunePlan, pruned: Pruned) -> None:
    """What became of a plan."""
    console.print(
        f"Deleted {len(pruned.deleted)} backups of {plan.environment} from {plan.bucket}, "
        f"which freed {size(pruned.freed_bytes)}"
    )
    for backup_id in pruned.deleted:
        console.print(f"  {backup_id}")
    for backup_id, why in pruned.spared.items():
        console.print(f"  {backup_id} stayed: {shown(why)}")
    for backup_id, why in pruned.problems.items():
        console.print(f"  {backup_id} is gone, but {shown(why)}")


def copy_document(environment: str, bucket: str, round_: CopyRound) -> Document:
    """What was copied into the second bucket."""
    return {
        "environment": environment,
        "bucket": bucket,
        "copied": [
            {
                "id": one.id,
                "sent_bytes": one.sent_bytes,
                "checked_bytes": one.checked_bytes,
                "proofs": one.proofs,
                "was_complete": one.was_complete,
            }
            for one in round_.copied
        ],
        "failed": round_.failed,
    }


def draw_copies(console: Console, environment: str, bucket: str, round_: CopyRound) -> None:
    """Each backup with what was sent and what was read back."""
    if not round_.copied and not round_.failed:
        console.print(f"{bucket} lacks no proved backup of {environment} that the rules keep.")
    for one in round_.copied:
        if one.was_complete and not one.checked_bytes:
            said = "was there already, with the recorded sizes"
        else:
            said = (
                f"{size(one.sent_bytes)} sent, {size(one.checked_bytes)} read back from {bucket}: "
                "the SHA-256 of each object is the manifest's"
            )
        more = f"; proofs added: {one.proofs}" if one.proofs else ""
        console.print(f"{one.id}: {said}{more}")
    for backup_id, why in round_.failed.items():
        console.print(f"{backup_id} was not copied: {shown(why)}")


def pin_document(environment: str, backup_id: str, pin: Pin | None, *, changed: bool) -> Document:
    """Whether a backup is pinned now, and since when."""
    return {
        "id": backup_id,
        "environment": environment,
        "pinned": pin is not None,
        "changed": changed,
        "pinned_at": None if pin is None else pin.pinned_at,
        "pinned_by": None if pin is None else pin.pinned_by,
        "reason": None if pin is None else pin.reason,
    }


def _decision(decision: Decision) -> Document:
    one = decision.backup
    return {
        "id": one.id,
        "taken_at": one.taken_at,
        "size_bytes": one.size_bytes,
        "standing": one.standing,
        "reasons": list(decision.reasons),
    }
