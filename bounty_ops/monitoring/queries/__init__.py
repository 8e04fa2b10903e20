"""The statements of the collectors, one a file; nothing in them depends on a search path."""

from functools import cache
from importlib.resources import files


@cache
def load(name: str) -> str:
    """The text of one statement."""
    return (files(__name__) / f"{name}.sql").read_text(encoding="utf-8")
