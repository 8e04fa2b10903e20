"""Whether backups have somewhere to go, and what that place can promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bounty_ops.doctor.link import judge_clock
from bounty_ops.doctor.result import CheckResult, State, failed, guarded, ok
from bounty_ops.environments.tls import is_loopback
from bounty_ops.errors import BountyOpsError
from bounty_ops.object_store import Capabilities, ObjectStore
from bounty_ops.object_store.clock import clock_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import ObjectStoreSettings, Settings

_BUCKET: Final = "bucket"
_COPIES: Final = "bucket for copies"
_SKEW: Final = timedelta(seconds=30)
#: Amazon S3 error RequestTimeTooSkewed.
_REFUSED_SKEW: Final = timedelta(minutes=15)
_PAGE: Final = "docs/how-to/object-storage.md"


@dataclass(frozen=True)
class _Promise:
    """What a backup relies on, and what to do where the bucket does not promise it."""

    name: str
    kept_by: tuple[str, ...]
    """The capabilities; one is enough, unless `all_of` them are needed."""
    remedy: str
    all_of: bool = False
    missing: State = State.WARNING


_PROMISES: Final = (
    _Promise(
        "writing",
        ("writes",),
        f"Let the keys put objects; {_PAGE} lists what they need.",
        missing=State.FAILED,
    ),
    _Promise(
        "large objects",
        ("multipart",),
        f"Use a store that knows multipart uploads; {_PAGE} compares some.",
        missing=State.FAILED,
    ),
    _Promise(
        "never replaced",
        ("conditional_put", "conditional_complete"),
        "bounty-ops looks before it writes, which leaves a moment in between: let nobody else "
        "write under this prefix, or use a store that knows If-None-Match.",
        all_of=True,
    ),
    _Promise(
        "damage refused",
        ("checksums",),
        "Damage on the way is noticed by the next verification only: verify every backup, or use "
        "a store that checks Content-MD5.",
    ),
    _Promise(
        "resumed reading",
        ("range_reads",),
        "A download that breaks off begins again from its start; nothing else is wrong.",
    ),
    _Promise(
        "deleting",
        ("deletes",),
        "Retention cannot remove old backups. If that is meant, let a rule of the bucket do it; "
        f"else give the keys what {_PAGE} lists.",
    ),
    _Promise(
        "unfinished uploads",
        ("lists_uploads", "aborts_uploads"),
        "What a dead machine had sent would stay and be paid for: give the bucket a rule that "
        "removes incomplete multipart uploads after some days.",
    ),
    _Promise(
        "protection",
        ("object_lock", "versioning"),
        "Whoever gets these keys can delete every backup for good: use a bucket with Object Lock "
        f"or versioning, and copies elsewhere ({_PAGE}).",
    ),
    _Promise(
        "kept by its rules",
        ("keeps_objects",),
        "The newest proved backup may be deleted by its age: narrow the rule to another prefix, "
        "and leave keeping to bounty-ops.",
    ),
)


def buckets(settings: Settings) -> dict[str, Callable[[], Iterator[CheckResult]]]:
    """Of each bucket that there should be, whether it answers to us, and what it can promise."""
    found = {_BUCKET: settings.require_object_store}
    if settings.copy_object_store is not None or settings.copy_object_store_problem is not None:
        found[_COPIES] = settings.require_copy_object_store
    return {subject: partial(_examine, subject, require) for subject, require in found.items()}


def examine_bucket(settings: Settings) -> Iterator[CheckResult]:
    """The answers of all buckets, one after the other."""
    for answers in buckets(settings).values():
        yield from answers()


def _examine(subject: str, require: Callable[[], ObjectStoreSettings]) -> Iterator[CheckResult]:
    try:
        settings = require()
        capabilities = ObjectStore(settings).capabilities()
    except BountyOpsError as error:
        yield failed("reachable", subject, error)
        return
    yield ok("reachable", subject, settings.location.uri())
    yield judge_endpoint(subject, settings.endpoint_url)
    for promise in _PROMISES:
        yield _kept(promise, subject, capabilities)
    yield guarded("clock", subject, lambda: _clock(subject, settings))


def judge_endpoint(subject: str, endpoint_url: str | None) -> CheckResult:
    """Whether what is sent to a store is encrypted on its way; None is the provider's own."""
    endpoint = urlsplit(endpoint_url or "https:")
    if endpoint.scheme == "https":
        return ok("encryption", subject, "TLS; the store's certificate was verified")
    found = "the connection is not encrypted"
    if is_loopback(endpoint.hostname or ""):
        return ok("encryption", subject, f"{found}, and does not leave this machine")
    remedy = (
        "Use an endpoint with https://. Until then whoever is on the way can read each backup that "
        "is not encrypted with age, and change it."
    )
    return CheckResult("encryption", subject, State.WARNING, found, remedy)


def _clock(subject: str, settings: ObjectStoreSettings) -> CheckResult:
    difference = clock_difference(settings)
    if difference is None:
        found = "the store does not say what time it is"
        remedy = "Synchronise this machine's clock; S3 refuses what is 15 minutes off."
        return CheckResult("clock", subject, State.UNKNOWN, found, remedy)
    ahead, within = difference
    return judge_clock(subject, ahead, _SKEW, within, fatal=_REFUSED_SKEW)


def _kept(promise: _Promise, subject: str, capabilities: Capabilities) -> CheckResult:
    found = dict(capabilities.items())
    seen = [found[name] for name in promise.kept_by]
    decisive = not promise.all_of  # the answer that one capability alone is enough for
    for works in (decisive, None, not decisive):
        told = list(dict.fromkeys(one.why for one in seen if one.works is works))
        if told:
            break
    cause = "; ".join(told)
    if works is None:
        return CheckResult(promise.name, subject, State.UNKNOWN, cause, promise.remedy)
    if works:
        return ok(promise.name, subject, cause)
    return CheckResult(promise.name, subject, promise.missing, cause, promise.remedy)
