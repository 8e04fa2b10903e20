"""Whether an environment can be worked on at all; asked by every tick before it starts anything."""

from bounty_ops.environments import load_settings
from bounty_ops.errors import ConfigurationError


def why_not(name: str) -> str | None:
    """Why operations on the environment `name` would fail before they began, or None.

    The answer is that of this moment: a corrected `.env` file needs no restart.
    """
    try:
        environment = load_settings().environment(name)
        if not environment.can_be_embedded:
            environment.require_url()
    except ConfigurationError as error:
        return f"{error}. {error.hint}"
    return None


def why_not_measured(name: str) -> str | None:
    """Why the environment `name` is not measured now, or None."""
    problem = why_not(name)
    if problem is None and not load_settings().environment(name).policy.monitor_wakes:
        return (
            f"`monitor_wakes` is false: nothing connects to {name} only to measure it, so that a "
            f"suspended database stays suspended. `bounty-ops monitor collect -e {name}` does."
        )
    return problem
