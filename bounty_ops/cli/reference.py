"""The reference page of the command line, made from the commands themselves.

``python -m bounty_ops.cli.reference > docs/reference/cli.md`` writes it; a test compares.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click

from bounty_ops.cli.shared import shared_options
from bounty_ops.cli.tree import root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEAD = """\
# The command line

<!-- Made by `python -m bounty_ops.cli.reference`; edit the commands, not this page. -->

`bounty-ops` and `python -m bounty_ops` are the same. What the commands print as JSON, and the exit
codes, stand in [exit-codes-and-json.md](exit-codes-and-json.md).
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_everywhere(), *_command(root, ["bounty-ops"])]).rstrip() + "\n"


def _everywhere() -> Iterator[str]:
    yield "## Options of every command"
    yield ""
    yield "They may stand before or after the command; of two, the last one counts."
    yield ""
    yield from _parameters(shared_options())


def _command(command: click.Command, path: Sequence[str]) -> Iterator[str]:
    context = click.Context(command, info_name=" ".join(path))
    yield f"## {' '.join(path)}"
    yield ""
    yield inspect.cleandoc(command.help or "")
    yield ""
    if not isinstance(command, click.Group):
        yield f"    {' '.join([*path, *command.collect_usage_pieces(context)])}"
        yield ""
        yield from _own_parameters(command)
        return
    names = command.list_commands(context)
    children = [(n, child) for n in names if (child := command.get_command(context, n))]
    for name, child in children:
        yield from _command(child, [*path, name])


def _own_parameters(command: click.Command) -> Iterator[str]:
    shared = {option.name for option in shared_options()}
    yield from _parameters(
        [p for p in command.params if isinstance(p, click.Option) and p.name not in shared]
    )


def _parameters(parameters: Sequence[click.Parameter]) -> Iterator[str]:
    options = [parameter for parameter in parameters if isinstance(parameter, click.Option)]
    for option in options:
        names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
        value = "" if option.is_flag else f" `{option.make_metavar(_context())}`"
        default = f" Default: {option.default}." if option.show_default else ""
        yield f"- {names}{value}: {option.help}{default}"
    if options:
        yield ""


def _context() -> click.Context:
    return click.Context(root)


if __name__ == "__main__":
    click.echo(reference(), nl=False)
