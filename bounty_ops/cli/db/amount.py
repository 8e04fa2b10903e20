"""How much sample data, in options that `db seed` and `db reset` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import click

from bounty_ops.seeding import DEFAULT_PROFILE, DEFAULT_SEED, MINIMUM_ROWS, PROFILES

if TYPE_CHECKING:
    from collections.abc import Callable

    Wrapped = TypeVar("Wrapped", bound=Callable[..., object])

_SIZES: Final = ", ".join(f"{name} ({rows:,})" for name, rows in PROFILES.items())
_OPTIONS: Final = (
    click.option(
        "--profile",
        type=click.Choice(list(PROFILES)),
        help=f"How many rows, over all tables together: {_SIZES}. Without any: {DEFAULT_PROFILE}.",
    ),
    click.option(
        "--scale",
        type=click.FloatRange(min=0, min_open=True),
        metavar="FACTOR",
        help="That many times the rows of the profile.",
    ),
    click.option(
        "--rows",
        type=click.IntRange(min=MINIMUM_ROWS),
        help="Exactly so many rows, instead of a profile.",
    ),
    click.option(
        "--seed",
        "number",
        type=click.IntRange(min=0),
        default=DEFAULT_SEED,
        show_default=True,
        help="The same number gives the same rows.",
    ),
)


def amount_options(command: Wrapped) -> Wrapped:
    """Give a command the options; it takes `profile`, `scale`, `rows` and `number`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
