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
