"""Whether what is encrypted can be decrypted again, as far as this machine holds private keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.backup.encryption import opens, recipients_of, require_recipients
from bounty_ops.doctor.result import CheckResult, State, ok
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from bounty_ops.environments import Environment, Settings

_NAME: Final = "encryption key"


def encryption_key(environment: Environment, settings: Settings) -> CheckResult:
    """Try the keys on the newest encrypted backup; where there is none yet, by what they are for.

    Raises:
        BountyOpsError: a key or the bucket cannot be read.
    """
    name, wanted = environment.name, environment.policy.encrypt_to
    if not wanted:
        return ok(_NAME, name, "backups are not encrypted by us")
    require_recipients(wanted)
    identities = settings.identities(encrypted=True)
    if not identities:
        return CheckResult(
            _NAME,
            name,
            State.UNKNOWN,
            "backups are encrypted, and no private key is on this machine to try",
            "Where verifications run, set BACKUP_AGE_IDENTITY (docs/how-to/rotate-keys.md); "
            "elsewhere it is right that there is none.",
        )
    fitting = recipients_of(identities) & set(wanted)
    if not fitting:
        return CheckResult(
            _NAME,
            name,
            State.FAILED,
            "no private key here belongs to a public key in encrypt_to: tonight's backup could not "
            "be read",
            "Add the public key of a private one that you hold to encrypt_to (age-keygen -y FILE).",
        )
    return _on_the_newest(name, settings, identities)


def _on_the_newest(name: str, settings: Settings, identities: tuple[str, ...]) -> CheckResult:
    store = ObjectStore(settings.require_object_store())
    journal = Journal(store)
    backups = [one for one in journal.summaries(name) if one.encrypted and one.problem is None]
    if not backups:
        return ok(_NAME, name, "a key fits to encrypt_to; there is no encrypted backup yet")
    newest = max(backups, key=lambda one: one.taken_at)
    if opens(journal.read_manifest(name, newest.id), store, identities):
        return ok(_NAME, name, f"opens the newest encrypted backup, {newest.id}")
    return CheckResult(
        _NAME,
        name,
        State.FAILED,
        f"none of the private keys here opens the backup {newest.id}",
        "Find the private key that was in use then, and add it to BACKUP_AGE_IDENTITY.",
    )
