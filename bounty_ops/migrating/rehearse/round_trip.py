"""Taking the migration back and doing it again: the same schema and the same rows, or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from alembic.script import ScriptDirectory

from bounty_ops.errors import BountyOpsError
from bounty_ops.migrating.catalog import read_catalog
from bounty_ops.migrating.rehearse.comparing import after_round_trip, some
from bounty_ops.migrating.rehearse.rows import read_rows
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.catalog import Catalog
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.rehearse.rows import TableRows
    from bounty_ops.migrating.revisions import Revision

Verdict = Literal["equal", "different", "impossible"]


@dataclass(frozen=True)
class State:
    """Schema and rows of the copy at one moment."""

    catalog: Catalog
    rows: Mapping[int, TableRows]


@dataclass(frozen=True)
class RoundTrip:
    """Where a downgrade and a second upgrade led."""

    verdict: Verdict
    detail: str | None


def read_state(url: DatabaseUrl, application_name: str) -> State:
    """Read schema and rows; raises PostgresError."""
    return State(read_schema(url, application_name), read_rows(url, application_name))


def read_schema(url: DatabaseUrl, application_name: str) -> Catalog:
    """Read the schema; raises PostgresError."""
    with connect(url, application_name=application_name, read_only=True) as connection:
        return read_catalog(connection)


def without_downgrade(lineage: Lineage, pending: Sequence[Revision]) -> str | None:
    """Which of the revisions has no function ``downgrade``, if one of them lacks it."""
    directory = lineage.directory()
    scripts = ScriptDirectory(directory, version_locations=[directory / "versions"])
    for revision in pending:
        script = scripts.get_revision(revision.id)
        if not callable(getattr(script.module, "downgrade", None)):
            return revision.id
    return None


@dataclass(frozen=True)
class Steps:
    """How to go back and forth."""

    down: Callable[[Revision], None]
    up: Callable[[Revision], None]


def go_round(
    url: DatabaseUrl,
    application_name: str,
    pending: Sequence[Revision],
    steps: Steps,
    *,
    before: State,
    first: State,
) -> RoundTrip:
    """Downgrade to where the copy began, upgrade again, and compare.

    Raises PostgresError when the copy cannot be read.
    """
    for revision in reversed(pending):
        try:
            steps.down(revision)
        except NotImplementedError as error:
            said = f": {error}" if str(error) else ""
            return RoundTrip("impossible", f"{revision.id} cannot be taken back{said}")
        except Exception as error:  # noqa: BLE001 - whatever a revision raises is its failure
            said = f"the downgrade of {revision.id} failed: {told(error, url)}"
            return RoundTrip("different", said)
    back = read_schema(url, application_name)
    if back.fingerprint != before.catalog.fingerprint:
        unlike = _unlike(before.catalog, back)
        return RoundTrip("different", f"the downgrade leads to another schema: {unlike}")
    for revision in pending:
        try:
            steps.up(revision)
        except Exception as error:  # noqa: BLE001 - as above
            said = f"after a downgrade {revision.id} cannot be applied again: {told(error, url)}"
            return RoundTrip("different", said)
    return _compare(before, first, read_state(url, application_name))


def _compare(before: State, first: State, second: State) -> RoundTrip:
    if second.catalog.fingerprint != first.catalog.fingerprint:
        unlike = _unlike(first.catalog, second.catalog)
        return RoundTrip("different", f"the second upgrade leads to another schema: {unlike}")
    compared = after_round_trip(before.rows, first.rows, second.rows)
    left_out = f"left out of the comparison of rows: {', '.join(compared.left_out)}"
    if compared.differences:
        said = f"other rows after downgrade and upgrade: {some(compared.differences)}"
        return RoundTrip("different", said)
    return RoundTrip("equal", left_out if compared.left_out else None)


def _unlike(expected: Catalog, found: Catalog) -> str:
    """Name the objects that only one of two schemas has as they are."""
    unlike = {one.key: one for one in expected.compared()}
    for one in found.compared():
        other = unlike.pop(one.key, None)
        if other is None or other.facts != one.facts:
            unlike[one.key] = one
    return some([f"{one.kind} {one.name}" for one in unlike.values()])


def told(error: BaseException, url: DatabaseUrl) -> str:
    """What may be said of an error: only our own messages are known to hold nobody's data."""
    if not isinstance(error, BountyOpsError):
        return type(error).__name__
    return str(error).replace(url.address(), "the copy")
