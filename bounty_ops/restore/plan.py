"""What a restore is going to do, as a value that can be printed, compared and carried out. Pure.

Only `plan_restore` reads: the target, and the proofs of the backup.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bounty_ops.errors import RestoreError, UsageError
from bounty_ops.journal.records import Verdict
from bounty_ops.postgres.preflight import refuse_pooler_address
from bounty_ops.restore.face import withheld
from bounty_ops.restore.roles import needed_roles
from bounty_ops.restore.target_state import TargetState, read_state

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import Manifest, Proof
    from bounty_ops.restore.beside import Beside
    from bounty_ops.restore.target import Target

Way = Literal["beside", "in place", "finish"]
_SHOWN: int = 20


@dataclass(frozen=True)
class Wishes:
    """How somebody wants a backup to be restored."""

    in_place: bool = False
    tables: tuple[str, ...] = ()
    with_references: bool = False
    no_owner: bool = False
    create_roles: bool = False
    jobs: int = 2
    masking: str = ""
    """The digest of the rules by which the copy is masked; '' for a copy as it is."""


@dataclass(frozen=True)
class Expectation:
    """How long it took where it was tried, as what it should take now."""

    seconds: float
    proved_at: datetime


@dataclass(frozen=True)
class RestorePlan:
    """One restore of one backup into one database; nothing has been touched yet."""

    backup_id: str
    source: str
    """The environment that was backed up."""
    taken_at: datetime
    rows: int
    tables: int
    size_bytes: int
    encrypted: bool
    verdict: Verdict
    verified_at: datetime | None
    target: str
    address: str
    database: str
    protected: bool
    way: Way
    unfinished: Beside | None
    """A swap that was broken off, which is brought to its end instead of anything else."""
    state: TargetState
    missing_roles: tuple[str, ...]
    wishes: Wishes
    expectation: Expectation | None
    notes: tuple[str, ...] = field(default=())

    @property
    def needs_digest(self) -> bool:
        """Whether somebody has to say that they have read it."""
        return self.protected or not self.state.empty or bool(self.state.sessions)

    @property
    def digest(self) -> str:
        """SHA-256 over backup, target, what is there now, and how it is to be done."""
        wishes = self.wishes
        told = [
            self.backup_id, self.source, self.address, self.database, self.way,
            self.unfinished.name if self.unfinished else "", self.state.content(),
            wishes.tables, wishes.with_references, wishes.no_owner, wishes.create_roles,
            wishes.masking,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def permits(self, digest: str | None) -> bool:
        """Whether this digest stands for the plan, or for the one whose swap is unfinished."""
        return digest == self.digest or (
            self.unfinished is not None and digest == self.unfinished.digest
        )


def plan_restore(
    manifest: Manifest, target: Target, journal: Journal, wishes: Wishes | None = None
) -> RestorePlan:
    """Read what is at the target, and plan.

    Raises:
        RestoreError: this backup cannot be restored there in the way that is wished.
        UsageError: wishes that exclude each other.
        PostgresError: the target's server does not answer, or refuses.
        ObjectStoreError: the bucket cannot be read.
    """
    wishes = wishes or Wishes()
    refuse_pooler_address(target.url)
    state = read_state(target.url)
    _require_major(manifest, target, state)
    unfinished = next((one for one in state.beside if one.stage == "swapping"), None)
    way: Way = "finish" if unfinished else "in place" if wishes.in_place else "beside"
    if wishes.tables and way != "finish" and not state.empty:
        raise RestoreError(
            f"{target.url.address()} is not empty; the chosen tables alone would replace it",
            hint="Restore them into a database of their own (--into a URL with another name; it "
            "is created), and copy from there what is needed.",
        )
    if way == "in place":
        _require_in_place(target, state)
    elif state.why_not_beside is not None:
        raise RestoreError(
            f"no new database can be made beside {target.url.address()}: {state.why_not_beside}",
            hint="Give that right (ALTER ROLE ... CREATEDB), or restore into an empty database "
            "with --in-place.",
        )
    missing = tuple(
        name for name in needed_roles(manifest, no_owner=wishes.no_owner) if name not in state.roles
    )
    proofs = list(journal.proofs(manifest.environment, manifest.id))
    newest = proofs[0] if proofs else None
    return RestorePlan(
        backup_id=manifest.id,
        source=manifest.environment,
        taken_at=manifest.taken_at,
        rows=manifest.rows,
        tables=len(manifest.tables),
        size_bytes=manifest.size_bytes,
        encrypted=manifest.encryption is not None,
        verdict=Verdict(newest.verdict) if newest else Verdict.UNVERIFIED,
        verified_at=newest.verified_at if newest else None,
        target=target.name,
        address=target.url.address(),
        database=target.url.database,
        protected=target.protected,
        way=way,
        unfinished=unfinished,
        state=state,
        missing_roles=missing,
        wishes=wishes,
        expectation=_expectation(proofs),
        notes=_notes(manifest, state, wishes),
    )


def require_permission(plan: RestorePlan, digest: str | None) -> None:
    """Whether this plan may be carried out with this digest, or with none.

    Raises:
        RestoreError: the digest is another plan's.
        UsageError: a digest is needed, or roles are missing.
    """
    if digest is not None and not plan.permits(digest):
        raise RestoreError(
            f"the plan for {plan.address} now has another digest; nothing was changed",
            hint="What is there has changed since, or the digest is mistyped. Read the plan again.",
        )
    if digest is None and plan.needs_digest:
        raise UsageError(
            f"{plan.address} is {'protected' if plan.protected else 'in use or not empty'}; "
            "nothing was changed",
            hint=f"Read the plan; to carry it out, repeat the command with --apply {plan.digest}",
        )
    if plan.way != "finish" and plan.missing_roles and not plan.wishes.create_roles:
        raise UsageError(
            f"{plan.address} lacks roles that own or may use something in the backup: "
            f"{', '.join(plan.missing_roles[:_SHOWN])}",
            hint="Create them, or repeat with --create-roles (without login), or with --no-owner "
            "(everything belongs to whoever restores; policies still need their roles).",
        )


def dumped_major(manifest: Manifest) -> int:
    """The major of pg_dump; an archive restores into no older one."""
    match = re.match(r"\d+", manifest.client_version)
    return max(manifest.server_major, int(match[0]) if match else 0)


def _require_major(manifest: Manifest, target: Target, state: TargetState) -> None:
    needed = dumped_major(manifest)
    if state.major < needed:
        raise RestoreError(
            f"{target.url.address()} is PostgreSQL {state.version}; the backup was made by "
            f"pg_dump {manifest.client_version} and restores into PostgreSQL {needed} or newer",
            hint=f"Restore into a server of PostgreSQL {needed} or newer.",
        )


def _require_in_place(target: Target, state: TargetState) -> None:
    if not state.exists:
        raise RestoreError(
            f"there is no database {target.url.database} to restore in place",
            hint="Create it (CREATE DATABASE ... TEMPLATE template0), or leave --in-place away.",
        )
    if not state.empty:
        raise RestoreError(
            f"{target.url.address()} is not empty: {len(state.tables)} tables, "
            f"{state.other_objects} other objects",
            hint="In place only an empty database is restored into. Leave --in-place away to "
            "restore beside it and swap, or name another database.",
        )


def _expectation(proofs: list[Proof]) -> Expectation | None:
    for proof in proofs:
        parts = (proof.fetch_seconds, proof.restore_seconds, proof.compare_seconds)
        if proof.verdict is Verdict.PROVED:
            known = [part for part in parts if part is not None]
            seconds = sum(known) if len(known) == len(parts) else proof.seconds
            return Expectation(round(seconds, 1), proof.verified_at)
    return None


def _notes(manifest: Manifest, state: TargetState, wishes: Wishes) -> tuple[str, ...]:
    """What an operator should know besides."""
    notes = _face_notes(manifest, state, wishes)
    if state.major > manifest.server_major:
        notes.append(
            f"the backup is of PostgreSQL {manifest.server_major}, the target is "
            f"{state.major}: definitions may be written differently there, so differences in "
            "them are told and stop nothing"
        )
    stale = [one.name for one in state.beside if one.stage != "swapping"]
    if stale:
        notes.append(f"left by restores that ended early, and removed by this one: {stale[0]}")
    return tuple(notes)


def _face_notes(manifest: Manifest, state: TargetState, wishes: Wishes) -> list[str]:
    """What becomes of the source's owner, privileges and settings of the database itself."""
    lines = manifest.inventory.get("about_database", ())
    about = json.loads(lines[0]) if lines else {}
    names = ", ".join(dict.fromkeys(about.get("settings") or ()))
    if "values" not in about:
        after = "the target's own settings stay" if state.exists else "set them afterwards"
        told = f"the source has database settings ({names}); their values are in no backup, and "
        return [told + after] if names else []
    if wishes.masking:
        return []
    if state.exists:
        kept = "the target's own owner, privileges and settings of the database stay"
        return [f"{kept}; those of the source ({names}) are not taken over"] if names else []
    gets = [f"settings ({names})"] if names else []
    if not wishes.no_owner:
        gets += ["privileges"] if about.get("acl") is not None else []
        gets += [f"owner {about['owner']}"] if about.get("owner") != state.user else []
    notes = [f"the new database is to have the source's {', '.join(gets)}"] if gets else []
    secret = ", ".join(withheld(about))
    if secret:
        notes.append(f"the values of {secret} may be secrets and are in no backup: set them")
    return notes
