"""Every command, in every kind of trouble, with secrets planted wherever there can be one.

What is planted holds one word, and no command says that word: not in its answer, not in an error,
not in what ``--debug`` adds (tracebacks, the logs of all libraries), not in a file that it leaves,
and not in the arguments of a program that it starts, which everybody sees in `ps`. Where settings
cannot even be read, nobody knows what in them is a secret, so nothing of them may be repeated.
"""

from __future__ import annotations

import dataclasses
import itertools
import traceback
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click
import pytest

from bounty_ops.cli.tree import root
from bounty_ops.environments import DatabaseUrl, load_settings
from bounty_ops.errors import BountyOpsError
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect, engine, translated
from bounty_ops.postgres.run import run_program
from bounty_ops_tests.postgres.breaking import breaking
from bounty_ops_tests.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.fix_command_line import CommandLine

    Trouble = Callable[[CommandLine, ExitStack], dict[str, str]]

WORD = "planted"
#: What stays until Ctrl-C where nothing is wrong; a port that is free, so that none is in the way.
_STAY = {("studio",): ("--port", "0"), ("monitor", "serve"): ("--port", "0")}
#: Performed in no protected environment, which it says before it reads anything else.
_NOT_IN_PRODUCTION = {("demo",)}
#: They hold on where a connection breaks off: see test_no_secret_of_what_stays.py.
_HOLD = {("up",), ("demo",), *_STAY}
#: What they look at is the same whatever environment is named.
_OF_ALL = {("up",), ("db", "lint"), ("backup", "rebuild-catalogue")}
_NUMBERS = click.types.IntRange | click.types.IntParamType
_GIVEN = {"lasts": "1h", "target": "staging", "source": "production", "to": "base"}


def _leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    context = click.Context(command)
    if not isinstance(command, click.Group):
        yield (*path, *_required(command))
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from _leaves(inner, (*path, name))


def _required(command: click.Command) -> Iterator[str]:
    for each in command.params:
        if each.required:
            if each.param_type_name == "option":
                yield each.opts[-1]
            yield "1" if isinstance(each.type, _NUMBERS) else _GIVEN.get(each.name or "", "thing")


COMMANDS = list(_leaves(root, ()))
OF_ONE_ENVIRONMENT = [words for words in COMMANDS if words not in _OF_ALL]


def away(_: CommandLine, __: ExitStack) -> dict[str, str]:
    """Nothing listens anywhere."""
    nowhere = "127.0.0.1:1"
    return {
        "DATABASE_URL": f"postgresql://bounty:{WORD}-db@{nowhere}/bounty",
        "OPS_DATABASE_URL": f"postgresql://ops:{WORD}%2Fops@{nowhere}/ops",
        "VERIFY_SERVER_URL": f"postgresql://drill:{WORD}-drill@localhost:2/postgres",
        "BACKUP_BUCKET": "s3://bucket/prefix",
        "AWS_ENDPOINT_URL_S3": f"http://{nowhere}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": f"{WORD}-s3/+secret",
        "AWS_SESSION_TOKEN": f"{WORD}-token",
        "ALERT_URL": f"json://user:{WORD}-alert@{nowhere}/{WORD}-hook",
        "PING_URL": f"http://{nowhere}/{WORD}-ping",
    }


def refused(command_line: CommandLine, stack: ExitStack) -> dict[str, str]:
    """Servers answer, and do not let these passwords and keys in."""
    url = dataclasses.replace(command_line.database, password=f"{WORD}-db")
    return {
        **away(command_line, stack),
        "DATABASE_URL": url.text(),
        "OPS_DATABASE_URL": dataclasses.replace(url, database="postgres").text(),
        "AWS_ENDPOINT_URL_S3": command_line.variables["AWS_ENDPOINT_URL_S3"],
    }


def unreadable(_: CommandLine, __: ExitStack) -> dict[str, str]:
    """Nothing is written as it should be."""
    return {
        "DATABASE_URL": f"postgresql://bounty:{WORD}@db@127.0.0.1:1/bounty?x={WORD}",
        "OPS_DATABASE_URL": f"mysql://ops:{WORD}-ops@127.0.0.1:1/ops",
        "VERIFY_SERVER_URL": f"postgresql://drill:{WORD}#-drill@127.0.0.1:2/postgres",
        "BACKUP_BUCKET": f"https://key:{WORD}-s3@bucket",
        "BACKUP_COPY_BUCKET": "s3://Copies:x",
        "AWS_ENDPOINT_URL_S3": f"http://key:{WORD}-s3@[::1:99999",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": f"{WORD}-s3",
        "BACKUP_AGE_IDENTITY": f"AGE-SECRET-KEY-1{WORD.upper()}",
        "ALERT_URL": f"nonsense:{WORD}-alert",
        "PING_URL": f"{WORD}-ping",
    }


def lost(command_line: CommandLine, stack: ExitStack) -> dict[str, str]:
    """Passwords and keys are right, and every connection to a database breaks off after a while."""
    broken = {}
    for name in ("DATABASE_URL", "OPS_DATABASE_URL"):
        url = DatabaseUrl.parse(command_line.variables[name])
        port = stack.enter_context(breaking(url.host, url.port, after_bytes=_UNTIL_IT_BREAKS))
        broken[name] = dataclasses.replace(url, host="127.0.0.1", port=port).text()
    return {**away(command_line, stack), **command_line.variables, **broken}


#: A connection is made and some questions are answered.
_UNTIL_IT_BREAKS = 6_000
TROUBLES = (away, refused, unreadable)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    (tmp_path / "watch").mkdir()
    return Watch(tmp_path / "watch")


def troubled(
    command_line: CommandLine, watch: Watch, variables: dict[str, str], environment: str = ""
) -> CommandLine:
    """A project with three environments that are all set like that."""
    home = command_line.home
    (home / "bounty_ops.toml").write_text('[defaults]\nping = "PING_URL"\n')
    lines = [f"{name}={variables[name]}" for name in ("DATABASE_URL", "PING_URL")]
    for name in ("staging", "production"):
        (home / f".env.{name}").write_text("\n".join(lines) + "\n")
    if environment:
        variables = {**variables, "BOUNTY_ENV": environment}
    watched = watch.variables({**variables, "PYTHONPATH": command_line.environ()["PYTHONPATH"]})
    return dataclasses.replace(command_line, variables=watched)


def find_none(command_line: CommandLine, watch: Watch, *texts: str) -> None:
    """Neither in what was said, nor in what was left, nor in what was handed to programs."""
    secrets = (WORD, *command_line.secrets)
    for program in watch.started():
        assert not found(secrets, *program.argv), program.argv
        if not program.inherits:
            assert not found(secrets, *program.variables), (program.argv, program.variables)
    assert not found(secrets, *texts)
    for path in command_line.home.rglob("*"):
        if path.is_file() and not path.name.startswith(".env") and path.name != "secrets.json":
            assert not found(secrets, path.read_text("utf-8", errors="replace")), path


def found(secrets: tuple[str, ...], *texts: str) -> bool:
    return any(secret.lower() in text.lower() for secret in secrets for text in texts)


@pytest.mark.many(every=30)
@pytest.mark.parametrize("words", COMMANDS, ids="-".join)
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda each: each.__name__)
def test_no_command_tells_a_secret(
    words: tuple[str, ...],
    trouble: Trouble,
    command_line: CommandLine,
    stack: ExitStack,
    watch: Watch,
) -> None:
    in_trouble = troubled(command_line, watch, trouble(command_line, stack))
    where = "staging" if words in _NOT_IN_PRODUCTION else "production"
    for more in ((), ("--json",)):
        outcome = in_trouble.run(*words, *_STAY.get(words, ()), "-e", where, "--debug", *more)
        told = outcome.stdout + outcome.stderr
        assert WORD not in told.lower()
        assert "This is a defect" not in told
    find_none(command_line, watch)


@pytest.mark.soak
@pytest.mark.parametrize("words", [words for words in COMMANDS if words not in _HOLD], ids="-".join)
def test_no_command_tells_a_secret_when_a_connection_breaks_off(
    words: tuple[str, ...], command_line: CommandLine, stack: ExitStack, watch: Watch
) -> None:
    in_trouble = troubled(command_line, watch, lost(command_line, stack))
    outcome = in_trouble.run(*words, "-e", "staging", "--debug")
    assert WORD not in (outcome.stdout + outcome.stderr).lower()
    assert "This is a defect" not in outcome.stderr
    find_none(command_line, watch)


@pytest.mark.many(every=20)
@pytest.mark.parametrize("words", OF_ONE_ENVIRONMENT, ids="-".join)
def test_a_url_that_was_pasted_as_a_name_is_not_repeated_with_its_password(
    words: tuple[str, ...], bare_command_line: CommandLine
) -> None:
    url = f"postgresql://bounty:{WORD}%2Fpw@db.example/bounty"
    outcome = bare_command_line.run(*words, "-e", url, "--debug")
    assert outcome.code != 0
    assert WORD not in outcome.stdout + outcome.stderr
    assert outcome.stderr


def _carried(error: BaseException) -> str:
    """All that an error carries, and all that is shown of what led to it."""
    parts = [repr(error), str(error), repr(error.args), repr(vars(error))]
    parts += getattr(error, "__notes__", [])
    return "\n".join([*parts, *traceback.format_exception(error)])


@pytest.mark.parametrize("text", [
    f"postgresql://bounty:{WORD}@{WORD}@db/x",
    f"postgresql://bounty:{WORD}/x@db/x",
    f"postgresql://bounty:x@{WORD}/x@db/x",
    f"postgresql://bounty:{WORD}%zz@db/x",
    f"postgresql://bounty:{WORD} {WORD}@db/x",
    f"postgresql://bounty:%ff{WORD}@db/x",
    f"postgresql://bounty:x@db/x?{WORD}",
    f"postgresql://bounty:x@db/x?sslmode={WORD}",
    f"postgresql://bounty:x@db:{WORD}/x",
    f"postgresql://bounty:x@db/x?password={WORD}&port=x",
    f"mysql://bounty:{WORD}@db/x",
    WORD,
])  # fmt: skip
def test_a_url_that_cannot_be_read_is_not_in_the_error(text: str) -> None:
    with pytest.raises(BountyOpsError) as caught:
        DatabaseUrl.parse(text)
    assert WORD not in _carried(caught.value)


def test_what_cannot_connect_carries_no_password(
    fresh_database: DatabaseUrl, pg_programs: Programs
) -> None:
    url = dataclasses.replace(fresh_database, password=f"{WORD}-pw")
    assert WORD not in repr(url) + f"{url}" + str(url.sqlalchemy()) + url.redacted()

    def by_sqlalchemy() -> None:
        with translated(url), engine(url, application_name="tests").connect():
            pass

    def by_psycopg() -> None:
        with connect(url, application_name="tests"):
            pass

    def by_a_program() -> None:
        run_program(pg_programs, "psql", ["-c", "SELECT 1"], url=url)

    for attempt in (by_sqlalchemy, by_psycopg, by_a_program):
        with pytest.raises(BountyOpsError) as caught:
            attempt()
        assert WORD not in _carried(caught.value)


def test_a_bucket_that_refuses_carries_no_key(s3_prefix: ObjectStoreSettings) -> None:
    settings = dataclasses.replace(s3_prefix, secret_access_key=f"{WORD}-key")
    assert WORD not in repr(settings)
    with pytest.raises(BountyOpsError) as caught:
        ObjectStore(settings).capabilities()
    assert WORD not in _carried(caught.value)


def test_settings_show_nothing_that_they_keep_secret(
    command_line: CommandLine, stack: ExitStack
) -> None:
    for trouble in TROUBLES:
        variables = trouble(command_line, stack)
        (command_line.home / "bounty_ops.toml").write_text('[defaults]\nping = "PING_URL"\n')
        settings = load_settings(command_line.home, variables)
        problems = [
            settings.ops_problem, settings.object_store_problem, settings.verify_problem,
            settings.copy_object_store_problem, settings.age_problem, *settings.problems,
            *(each.problem for each in settings.environments.values()),
        ]  # fmt: skip
        shown = [repr(settings), *(_carried(each) for each in problems if each is not None)]
        for text in itertools.chain(shown):
            assert WORD not in text.lower(), text
