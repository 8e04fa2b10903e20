"""What was said around the command: the environment, --json and --debug."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from bounty_ops.cli.redaction import Redaction


@dataclass
class Invocation:
    """One call of the command line; the shared options fill it wherever they stand."""

    environment: str | None = None
    json: bool = False
    debug: bool = False
    redaction: Redaction = field(default_factory=Redaction)


def current_invocation() -> Invocation:
    """The invocation of the command that runs now."""
    found = click.get_current_context().find_object(Invocation)
    if found is None:
        raise RuntimeError("a command runs outside bounty_ops.cli.main")
    return found


pass_invocation = click.make_pass_decorator(Invocation)
