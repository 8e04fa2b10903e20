"""Marking what belongs to a protected environment wherever an operator may stumble on it."""

from collections.abc import Mapping
from typing import Final

import dagster as dg

from bounty_ops.defs.names import Names

_APPLY: Final = "apply"


def described(names: Names, text: str) -> str:
    """A description that begins with the protection, where there is one."""
    if not names.protected:
        return text
    return f"**`{names.environment}` is protected.** {text}"


def form(names: Names, fields: Mapping[str, dg.Field]) -> dict[str, dg.Field]:
    """The fields of a form; the one that makes it act says first that this is protected."""
    found = dict(fields)
    if names.protected and _APPLY in found:
        found[_APPLY] = dg.Field(
            str,
            default_value="",
            description=f"{names.environment.upper()} IS PROTECTED. {found[_APPLY].description}",
        )
    return found
