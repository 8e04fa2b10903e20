"""The servers that a command works with: those that are set, or embedded ones for its duration."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bounty_ops.embedded import stand_in
from bounty_ops.environments import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.cli.invocation import Invocation
    from bounty_ops.environments import Settings


def read_settings(invocation: Invocation) -> Settings:
    """Everything this deployment is told; the invocation learns its secrets to hide them."""
    settings = load_settings()
    invocation.redaction.learn(settings)
    return settings


@contextmanager
def servers(
    invocation: Invocation, *, database: bool = False, ops: bool = False, bucket: bool = False
) -> Iterator[Settings]:
    """Settings in which what the command needs is there.

    Raises:
        ConfigurationError: the chosen environment does not exist.
        EmbeddedError: a local server is needed and cannot be started.
    """
    settings = read_settings(invocation)
    embedded = False
    if database or invocation.environment is not None:
        # Who asks for the bucket alone needs no environment, not even the default one.
        chosen = settings.environment(invocation.environment)
        embedded = database and chosen.can_be_embedded
    with ExitStack() as stack:
        complete = stack.enter_context(
            stand_in(settings, database=embedded, ops=ops, bucket=bucket)
        )
        invocation.redaction.learn(complete)
        yield complete
