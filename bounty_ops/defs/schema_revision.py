"""The asset `schema_revision`: which migration a database is at, and what is pending."""

import dagster as dg

from bounty_ops.defs.names import SCHEMA_REVISION, Names
from bounty_ops.defs.presentation import table
from bounty_ops.defs.workplace import workplace
from bounty_ops.migrating import CurrentRevision, current_revision

AT_HEAD = "at_head"


def schema_revision_asset(names: Names) -> dg.AssetsDefinition:
    """The asset, with its check `at_head`."""
    key = names.asset(SCHEMA_REVISION)

    @dg.asset(
        key=key,
        group_name=names.group,
        kinds={"postgres"},
        tags=names.tags,
        description=(
            "The migration revision that the database is at. Materializing it only reads; the "
            f"job `{names.migrate}` shows and applies what is pending."
        ),
        check_specs=[
            dg.AssetCheckSpec(
                AT_HEAD,
                asset=key,
                description=f"No migration is pending (`{names.migrate}` shows the plan).",
            )
        ],
    )
    def schema_revision() -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster knows the bare class only
        with workplace(names.environment, ops=False, bucket=False) as place:
            current = current_revision(place.environment)
        return dg.MaterializeResult(
            metadata=revision_metadata(current),
            data_version=dg.DataVersion(data_version(current)),
            check_results=[
                dg.AssetCheckResult(
                    check_name=AT_HEAD,
                    passed=not current.pending,
                    severity=dg.AssetCheckSeverity.WARN,
                    description=position(current),
                )
            ],
        )

    return schema_revision


def data_version(current: CurrentRevision) -> str:
    """What depends on the schema is out of date only when this has changed."""
    return current.revision or "none"


def version_tags(current: CurrentRevision) -> dict[str, str]:
    """The same for an event that no asset's own run reports, as Dagster itself would tag it."""
    return {
        "dagster/data_version": data_version(current),
        "dagster/data_version_is_user_provided": "true",
    }


def revision_metadata(current: CurrentRevision) -> dict[str, dg.MetadataValue]:
    """What the asset page shows."""
    pending = table(["pending revision"], [[revision] for revision in current.pending])
    return {
        "revision": dg.MetadataValue.text(current.revision or "none: not under migration yet"),
        "head": dg.MetadataValue.text(current.head),
        "pending_revisions": dg.MetadataValue.int(len(current.pending)),
        "pending": dg.MetadataValue.md(pending),
    }


def position(current: CurrentRevision) -> str:
    """One line that says where the database stands."""
    if not current.pending:
        return f"at head ({current.revision})"
    return f"{len(current.pending)} pending, the database is at {current.revision or 'none'}"
