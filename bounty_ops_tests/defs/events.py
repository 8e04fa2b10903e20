"""What a run stored, as tests look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Mapping


def metadata_of(result: dg.ExecuteInProcessResult, *key: str) -> Mapping[str, Any]:
    """The values that the only materialization of an asset in this run shows."""
    (event,) = [
        each.step_materialization_data.materialization
        for each in result.all_events
        if each.is_step_materialization and each.asset_key == dg.AssetKey(key)
    ]
    return {name: value.value for name, value in event.metadata.items()}
