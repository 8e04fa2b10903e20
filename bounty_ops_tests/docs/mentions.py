"""Commands of ours wherever they are named, and what is wrong with how they are named.

A page may name a command in a block, in a sentence or without the program's name; a hint and a
remedy name one in a string of the program. Whoever reads them types them. So each is read as the
command line itself would read it: there has to be such a command, with such options.
"""

from __future__ import annotations

import ast
import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, Final

import click

from bounty_ops.cli.tree import root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRAM: Final = "bounty-ops"
#: What stands for a part that is only known when the program runs: a value, or more options.
_UNKNOWN: Final = "\0"
_GROUPS: Final = {
    name
    for name in root.list_commands(click.Context(root))
    if isinstance(root.get_command(click.Context(root), name), click.Group)
}
#: Where `bounty-ops` begins a command, and not a path, an address or the name of something.
_BEGINS: Final = re.compile(r"(?<![\w/@:.\"'-])(?:\.venv/bin/|\./)?bounty-ops(?=\s+[a-z-])")
#: Before our name in a shell, where it is an option's value: `-o bounty-ops`.
_A_VALUE: Final = re.compile(r"(?:^|\s)-{1,2}[\w-]+\s+$")
#: Where a command in a shell's line ends, or an outline of one becomes optional.
_SHELL_ENDS: Final = re.compile(r"\s(?:\\?\||&&|>>?|<|\[)|[;)]")
#: Where it ends in a sentence, of which the rest is words.
_SENTENCE_ENDS: Final = re.compile(r"[,;:()`|\n]|\.(?:\s|$)|\s(?:and|or|then|together|given)\s")
_INLINE: Final = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_BLOCK: Final = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_PROMPT: Final = "$ "


def wrong_command(words: Sequence[str], *, strictly: bool) -> str | None:
    """What the command line would say to these words, the program's name left away; None: nothing.

    Strictly: they are a whole command. Else a sentence goes on behind it, and only its name and
    what looks like an option are looked at.
    """
    command: click.Command = root
    rest, path = list(words), [PROGRAM]
    context = click.Context(root, info_name=PROGRAM)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        if found is None:
            return f"{' '.join(path)} has no command {rest[0]}"
        path.append(rest.pop(0))
        command, context = found, click.Context(found, parent=context, info_name=path[-1])
    if strictly:
        return _said_by_the_parser(command, context, rest)
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    unknown = [word for word in rest if word.startswith("-") and word.split("=")[0] not in known]
    return f"{' '.join(path)} has no option {unknown[0]}" if unknown else None


def _said_by_the_parser(
    command: click.Command, context: click.Context, rest: list[str]
) -> str | None:
    takes = [each for each in command.params if isinstance(each, click.Argument)]
    most = None if any(each.nargs < 0 for each in takes) else sum(each.nargs for each in takes)
    try:
        _, left, _ = command.make_parser(context).parse_args([*rest])
    except click.UsageError as error:
        return f"{context.command_path}: {error.format_message()}"
    if left and most is not None and not isinstance(command, click.Group):
        return f"{context.command_path} takes {most} arguments, not also {' '.join(left)}"
    return None


def wrong_option(word: str) -> str | None:
    """What is wrong with an option that is named alone; None: a command of ours has it."""
    name = word.partition("=")[0]
    return None if name in every_option() else f"no command has an option {name}"


@cache
def every_option() -> frozenset[str]:
    """The options of all commands."""
    found: set[str] = set()
    waiting: list[click.Command] = [root]
    while waiting:
        command = waiting.pop()
        found |= {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        if isinstance(command, click.Group):
            context = click.Context(command)
            children = [command.get_command(context, n) for n in command.list_commands(context)]
            waiting += [child for child in children if child is not None]
    return frozenset(found | {"--help", "--version"})


def wrong_in_shell(line: str) -> Iterator[str]:
    """What is wrong with the commands in a line that somebody types into a shell."""
    line = re.sub(r"(?:^|\s)#.*", "", line)
    for found in _BEGINS.finditer(line):
        if _A_VALUE.search(line[: found.start()]):
            continue
        text = _SHELL_ENDS.split(line[found.end() :], maxsplit=1)[0]
        yield from _judged(line, _words(text), strictly=True)


def wrong_in_page(text: str) -> Iterator[str]:
    """What is wrong with the commands that a page names, in its blocks and in its sentences."""
    for block in _BLOCK.finditer(text):
        yield from _wrong_in_block(block[2], block[3])
    yield from wrong_in_text(_BLOCK.sub("\n", text))


def _wrong_in_block(language: str, text: str) -> Iterator[str]:
    lines = text.replace("\\\n", " ").splitlines()
    session = any(line.startswith(_PROMPT) for line in lines)
    for line in lines:
        if language == "text" or (session and not line.startswith(_PROMPT)):
            yield from wrong_in_text(line)  # what a program prints
        else:
            yield from wrong_in_shell(line)


def wrong_in_text(text: str) -> Iterator[str]:
    """What is wrong with the commands that sentences name, marked as code or not."""
    for found in _INLINE.finditer(text):
        code = " ".join(found[2].split())
        group = re.match(r"(\w+) [a-z]", code)
        if group is not None and group[1] in _GROUPS:
            code = f"{PROGRAM} {code}"
        yield from wrong_in_shell(code)
        if code.startswith("--") and (wrong := wrong_option(code.split()[0])):
            yield f"{code!r}: {wrong}"
    yield from _wrong_in_sentences(_INLINE.sub("``", text))


def _wrong_in_sentences(text: str) -> Iterator[str]:
    for found in _BEGINS.finditer(text):
        rest = text[found.end() :].lstrip()
        if root.get_command(click.Context(root), rest.split(maxsplit=1)[0].rstrip(".,:;")) is None:
            continue  # "bounty-ops backs up": the program is meant, not a command
        rest = _SENTENCE_ENDS.split(rest, maxsplit=1)[0]
        yield from _judged(f"{found[0]} {rest}", rest.split(), strictly=False)


def wrong_in_program(source: str) -> Iterator[str]:
    """What is wrong with the commands that the texts of a Python module name."""
    parts: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts |= {id(value) for value in node.values}
            yield from wrong_in_text("".join(map(_piece, node.values)))
        elif isinstance(node, ast.Constant) and id(node) not in parts:
            text = node.value if isinstance(node.value, str) else ""
            yield from wrong_in_text(re.sub(r"\{[^{}]*\}", _UNKNOWN, text))


def _piece(part: ast.expr) -> str:
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        return part.value
    return _UNKNOWN


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    return [word for word in words if not word.endswith("[@]}")]  # a list of a script's own


def _judged(line: str, words: Sequence[str], *, strictly: bool) -> Iterator[str]:
    # What is glued to an option are more options, and else the rest of a value.
    known = [word.rstrip(_UNKNOWN) if word.startswith("-") else word for word in words]
    wrong = wrong_command(known, strictly=strictly)
    if wrong is not None:
        yield f"{line.strip()!r}: {wrong}"
