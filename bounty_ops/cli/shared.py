"""What the commands are made of: three shared options, and groups that import on demand."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from bounty_ops.cli.invocation import Invocation

if TYPE_CHECKING:
    from collections.abc import Sequence


def shared_options() -> list[click.Parameter]:
    """`-e`, `--json`, `--debug`: accepted after the command as well as before it."""
    return [
        click.Option(
            ["-e", "--environment"],
            metavar="NAME",
            expose_value=False,
            callback=_take_environment,
            help="The environment to work on (default: development, or what BOUNTY_ENV names).",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_take_json,
            help="Print one JSON document on standard output and nothing else.",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            callback=_take_debug,
            help="Show log lines and, after an error, the traceback (without secrets).",
        ),
    ]


def _take_environment(context: click.Context, _: click.Parameter, value: str | None) -> None:
    # The innermost place wins, and a place where nothing was said takes nothing back.
    if value is not None:
        context.ensure_object(Invocation).environment = value


def _take_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Invocation).json = True


def _take_debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Invocation).debug = True


class Command(click.Command):
    """A command that takes the shared options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - click's own signature
        super().__init__(*args, **kwargs)
        self.params += shared_options()


@dataclass(frozen=True)
class Branch:
    """A command that is imported when it is used, with what the overview says about it."""

    name: str
    address: str
    summary: str

    def command(self) -> click.Command:
        """The command itself."""
        module, attribute = self.address.split(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found


class Group(click.Group):
    """A group that takes the shared options and imports a command only when it is used.

    `bounty-ops --help` must not wait for SQLAlchemy, nor `backup list` for Alembic.
    """

    def __init__(self, *args: Any, branches: Sequence[Branch] = (), **kwargs: Any) -> None:  # noqa: ANN401 - click's own signature
        super().__init__(*args, **kwargs)
        self.params += shared_options()
        self.branches = branches

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a newcomer needs them."""
        del ctx
        return [branch.name for branch in self.branches]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command by that name, imported now."""
        del ctx
        found = [branch for branch in self.branches if branch.name == cmd_name]
        return found[0].command() if found else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, from what the branches say: nothing is imported for it."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(branch.name, branch.summary) for branch in self.branches])
