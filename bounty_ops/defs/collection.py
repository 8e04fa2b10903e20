"""Four assets from one connection: connections, queries, tables and indexes of one database."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import dagster as dg

from bounty_ops.defs.curves import curves
from bounty_ops.defs.measurements import (
    connections_metadata,
    indexes_metadata,
    queries_metadata,
    tables_metadata,
)
from bounty_ops.defs.names import (
    CONNECTION_STATS,
    INDEX_USAGE,
    SLOW_QUERIES,
    TABLE_SIZES,
    Names,
)
from bounty_ops.defs.presentation import moment, table
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.environments import Policy
from bounty_ops.monitoring import (
    CollectionResult,
    Connections,
    Indexes,
    Queries,
    Replication,
    Retention,
    Tables,
    Unknown,
    maintain,
    report,
)
from bounty_ops.monitoring.rounds import measure_and_keep

BELOW_LIMIT: Final = "below_limit"
NOTHING_UNKNOWN: Final = "nothing_unknown"


@dataclass(frozen=True)
class _Family:
    """One family of measurements as an asset."""

    asset: str
    family: str
    description: str
    metadata: Callable[[Any], dict[str, dg.MetadataValue]]


_FAMILIES: Final = (
    _Family(
        CONNECTION_STATS,
        Connections.family,
        "Connections by state, role and application, against the limit that is nearest.",
        connections_metadata,
    ),
    _Family(
        SLOW_QUERIES,
        Queries.family,
        "What runs too long or is waited for, and the costliest statements; without literals.",
        queries_metadata,
    ),
    _Family(
        TABLE_SIZES, Tables.family, "Every table with its sizes and dead rows.", tables_metadata
    ),
    _Family(INDEX_USAGE, Indexes.family, "Every index with its size and use.", indexes_metadata),
)
_LOOK_NEXT: Final = {
    CONNECTION_STATS: SLOW_QUERIES,
    SLOW_QUERIES: CONNECTION_STATS,
    TABLE_SIZES: INDEX_USAGE,
    INDEX_USAGE: TABLE_SIZES,
}
#: Families whose facts the report of another one needs.
_NEEDED_BY: Final = {
    # Whether an index is used is decided by its standbys, too, and by what statements do.
    Indexes.family: frozenset({Tables.family, Queries.family, Replication.family}),
    Tables.family: frozenset({Queries.family}),
}


def collection_assets(names: Names) -> dg.AssetsDefinition:
    """The four assets, which are always measured together, and their checks."""

    @dg.multi_asset(
        name=f"{names.environment}_collection",
        specs=[
            dg.AssetSpec(
                names.asset(each.asset),
                group_name=names.group,
                description=each.description,
                kinds={"postgres"},
                tags=names.tags,
                # What could not be measured at all is not materialized: its asset grows old.
                skippable=True,
            )
            for each in _FAMILIES
        ],
        check_specs=[
            dg.AssetCheckSpec(
                BELOW_LIMIT,
                asset=names.asset(CONNECTION_STATS),
                description="The usable connections are used less than `connection_warning_ratio`.",
            ),
            *(
                dg.AssetCheckSpec(
                    NOTHING_UNKNOWN,
                    asset=names.asset(each.asset),
                    description="Everything could be seen; what is unknown is never healthy.",
                )
                for each in _FAMILIES
            ),
        ],
        can_subset=False,
    )
    def collection() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        with workplace(names.environment, bucket=False) as place:
            result, stored, drawn = _collect(place)
            policy = place.environment.policy
        for each in _FAMILIES:
            shown = {**drawn.get(each.asset, {}), "beside": _beside(names, each)}
            yield from _events(names, each, result, stored, policy, shown=shown)
        yield below_limit(names, result.family(Connections), policy)

    return collection


def _beside(names: Names, each: _Family) -> dg.MetadataValue:
    """Where somebody looks next."""
    return dg.MetadataValue.asset(names.asset(_LOOK_NEXT[each.asset]))


def _collect(
    place: Workplace,
) -> tuple[CollectionResult, int, Mapping[str, Mapping[str, dg.MetadataValue]]]:
    with place.operations() as engine:
        result, stored = measure_and_keep(engine, place.environment)
        drawn = curves(engine, result)
        maintain(engine, Retention.of(each.policy for each in place.settings.environments.values()))
    return result, stored, drawn


def _events(
    names: Names,
    each: _Family,
    result: CollectionResult,
    stored: int,
    policy: Policy,
    *,
    shown: Mapping[str, dg.MetadataValue],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    key = names.asset(each.asset)
    unknown = [entry for entry in result.unknown if entry.family == each.family]
    found = result.families.get(each.family)
    if found is not None:
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                **each.metadata(found),
                **shown,
                "findings": dg.MetadataValue.md(_findings_table(each, result, policy)),
                "unknown": dg.MetadataValue.md(_unknown_table(unknown)),
                "taken_at": moment(result.taken_at),
                "collection_seconds": dg.MetadataValue.float(result.seconds),
                "collection_id": dg.MetadataValue.int(stored),
            },
        )
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name=NOTHING_UNKNOWN,
        passed=not unknown,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(unknown)} unknown" if unknown else "everything could be seen",
        metadata={
            "unknown_subjects": dg.MetadataValue.int(len(unknown)),
            "unknown": dg.MetadataValue.md(_unknown_table(unknown)),
        },
    )


def _findings_table(each: _Family, result: CollectionResult, policy: Policy) -> str:
    """What a database administrator would say about this family, worst first."""
    context = _NEEDED_BY.get(each.family, frozenset())
    beside = report(_only(result, context), policy)
    found = report(_only(result, context | {each.family}), policy)
    return table(
        ["severity", "finding", "evidence", "remedy"],
        [
            (one.severity.value, one.title, one.evidence, one.remedy)
            for one in found
            if one not in beside
        ],
    )


def _only(result: CollectionResult, families: frozenset[str]) -> CollectionResult:
    chosen = {name: found for name, found in result.families.items() if name in families}
    return replace(result, families=chosen, unknown=())


def _unknown_table(unknown: list[Unknown]) -> str:
    return table(
        ["unknown", "because", "remedy"],
        [(each.subject, each.reason, each.remedy) for each in unknown],
    )


def below_limit(names: Names, found: Connections | None, policy: Policy) -> dg.AssetCheckResult:
    """Judge the tightest limit by the policy; what could not be counted does not pass."""
    thresholds = {
        "warning_ratio": dg.MetadataValue.float(policy.connection_warning_ratio),
        "critical_ratio": dg.MetadataValue.float(policy.connection_critical_ratio),
    }
    key = names.asset(CONNECTION_STATS)
    if found is None:
        return dg.AssetCheckResult(
            asset_key=key,
            check_name=BELOW_LIMIT,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description="the connections could not be counted",
            metadata=thresholds,
        )
    usable = found.usable
    critical = usable.ratio >= policy.connection_critical_ratio
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=BELOW_LIMIT,
        passed=usable.ratio < policy.connection_warning_ratio,
        severity=dg.AssetCheckSeverity.ERROR if critical else dg.AssetCheckSeverity.WARN,
        description=f"{usable.used} of {usable.limit} ({usable.ratio:.0%}), limit of the "
        f"{usable.kind}",
        metadata={
            **thresholds,
            "used": dg.MetadataValue.int(usable.used),
            "usable": dg.MetadataValue.int(usable.limit),
            "used_ratio": dg.MetadataValue.float(usable.ratio),
            "limit_of": dg.MetadataValue.text(f"{usable.kind} {usable.name or ''}".strip()),
        },
    )
