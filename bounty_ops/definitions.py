"""The code location: what `workspace.yaml` names and Dagster loads.

Nothing here connects to anything, and a missing or broken setting never stops it from loading:
the user interface has to open exactly when something is wrong.
"""

import dagster as dg

from bounty_ops.defs.environment import environment_definitions, fit_for_dagster
from bounty_ops.defs.environment_status import status_definitions
from bounty_ops.environments import Settings, load_settings
from bounty_ops.process import leave_no_core


def build_definitions(settings: Settings) -> dg.Definitions:
    """The definitions of every environment in `settings`, assembled without a folder of code.

    Dagster's own way of finding definitions in a folder needs a `pyproject.toml` at run time, so
    it fails from an installed package.
    """
    environments = [each for each in settings.environments.values() if fit_for_dagster(each)]
    return dg.Definitions.merge(
        *(environment_definitions(each) for each in environments),
        status_definitions(environments),
    )


leave_no_core()  # code server, daemon's workers and runs all begin here
defs = build_definitions(load_settings())
