"""Every setting, variable, column, job, rule, metric and test that a page names exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click
import pytest

from bounty_ops.cli.tree import root
from bounty_ops.environments import load_settings
from bounty_ops_tests.docs.names import is_known, known_variables, names_in, variables_in
from bounty_ops_tests.docs.pages import Block, blocks_of, pages, text_of
from bounty_ops_tests.fix_backups import value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.errors import ConfigurationError
    from bounty_ops_tests.fix_command_line import CommandLine

#: Decisions tell what was, and the changelog what has gone.
PAGES: Final = [
    page for page in pages() if not page.startswith("docs/decisions/") and page != "CHANGELOG.md"
]
_OUTLINE: Final = re.MULTILINE | re.DOTALL
#: What is neither ours nor PostgreSQL's, and whose it is.
OTHERS: Final = {
    "api_key": "a service of somebody's own",
    "email_domains": "oauth2-proxy",
    "index_stats": "pgwatch",
    "neondb_owner": "Neon",
    "postgresql-17": "Debian",
    "postgresql-17-pgvector": "Debian",
    "resolve_timeout": "Alertmanager",
    "stat_user_tables": "postgres_exporter",
    "statio_user_tables": "postgres_exporter",
    "table_io_stats": "pgwatch",
    "table_stats": "pgwatch",
}
#: Placeholders of a page, which says so.
EXAMPLES: Final = {
    "bounty_0002_what_changes", "bounty_0004", "bounty_schema", "new_enum", "old_enum",
    "masked-088ee12d2dff28f236e975609e6c6d15", "user-f9313f29e0d29a85",
}  # fmt: skip
#: Variables that others read, and who; or that a page makes up, and where they get their meaning.
OTHERS_VARIABLES: Final = {
    "BOUNTY_OPS_WRITE_SCREENS": "the tests of the pages",
    "DATABASE_PUBLIC_URL": "Railway",
    "HTTPS_PROXY": "whatever speaks HTTP",
    "MY_URL": "given as `env:MY_URL`",
    "NEW_SERVER": "a shell's own, on the page",
    "PING_URL": "named by `ping`",
    "POSTGRESQL_MAJORS": "the Dockerfile",
    "RAILWAY_PRIVATE_DOMAIN": "Railway",
    "SSEG27_8": "no variable: a part of an address",
    "SSL_CERT_DAYS": "Railway's image",
    "TEST_DATABASE_URL": "a script on the page",
    "WATCH_PING_URL": "named by `watch_ping`",
}
#: What PostgreSQL itself calls so: settings, what is in pg_catalog with its columns, and roles.
_POSTGRESQLS: Final = (
    "SELECT string_agg(name, ' ') FROM ("
    "SELECT name FROM pg_settings UNION SELECT relname FROM pg_class"
    " UNION SELECT attname FROM pg_attribute UNION SELECT proname FROM pg_proc"
    " UNION SELECT rolname FROM pg_roles UNION SELECT extname FROM pg_extension) AS all_of_them"
)


def test_every_name_that_a_page_mentions_is_there(fresh_database: DatabaseUrl) -> None:
    postgresqls = set(value(fresh_database, _POSTGRESQLS).split())
    named = {(page, name) for page in PAGES for name in names_in(text_of(page))}
    assert len(named) > 500
    unknown = {
        (page, name) for page, name in named if not is_known(name) and name not in postgresqls
    }
    allowed = OTHERS.keys() | EXAMPLES
    assert sorted(each for each in unknown if each[1] not in allowed) == []
    assert allowed - {name for _, name in unknown} == set(), "not needed any more"


def test_every_variable_that_a_page_mentions_is_read() -> None:
    named = {(page, name) for page in PAGES for name in variables_in(text_of(page))}
    assert len(named) > 50
    unknown = {(page, name) for page, name in named if name not in known_variables()}
    assert sorted(each for each in unknown if each[1] not in OTHERS_VARIABLES) == []
    assert OTHERS_VARIABLES.keys() - {name for _, name in unknown} == set(), "not needed any more"


@pytest.mark.parametrize(
    "text",
    ["Set `keep_dayly = 7`.", "Its table `user_sessoins`.", "`monitor_wake`", "`table-droped`"],
)
def test_a_name_that_is_not_there_is_found(text: str) -> None:
    assert [name for name in names_in(text) if not is_known(name)]


@pytest.mark.parametrize(
    "text", ["Set `BACKUP_BUKET`.", "```\nOPS_DATABASE=...\n```", "`${DAGSTER_PG_PASS}`"]
)
def test_a_variable_that_nobody_reads_is_found(text: str) -> None:
    assert [name for name in variables_in(text) if name not in known_variables()]


def fragments() -> list[Block]:
    """What pages show of bounty_ops.toml, but for what a walk puts into one that is there."""
    blocks = [block for page in PAGES for block in blocks_of(page)]
    return [each for each in blocks if each.language == "toml" and each.mark != "append"]


@pytest.mark.parametrize("block", fragments(), ids=lambda block: block.place)
def test_a_fragment_of_bounty_ops_toml_is_understood(block: Block, tmp_path: Path) -> None:
    assert problems(block.text, tmp_path) == []


def test_a_fragment_that_is_not_understood_is_found(tmp_path: Path) -> None:
    assert problems("[environments.production]\nkeep_dayly = 7\n", tmp_path)
    assert problems("[alerts.rules.blockin]\nenabled = false\n", tmp_path)
    assert problems("[masking]\npresets = 1\n", tmp_path)


def problems(text: str, home: Path) -> list[ConfigurationError]:
    """What the settings say against a file, for each environment that it names."""
    (home / "bounty_ops.toml").write_text(text, encoding="utf-8")
    named = set(re.findall(r"^\[environments\.(\w+)", text, re.MULTILINE)) | {"production"}
    for name in named:
        (home / f".env.{name}").write_text(f"DATABASE_URL=postgresql://me@localhost/{name}\n")
    settings = load_settings(home, {})
    found = [settings.environment(name).problem for name in named]
    return [*settings.problems, *filter(None, found)]


def tables_of_options() -> Iterator[tuple[str, str, set[str]]]:
    """Page, command and options of each table that lists a command's options."""
    for page in PAGES:
        heading = r"^## `bounty-ops ([a-z -]+?)(?: -.*)?`$"
        parts = re.split(heading, text_of(page), flags=re.MULTILINE)
        for command, section in zip(parts[1::2], parts[2::2], strict=True):
            _, header, rows = section.partition("| option | meaning |\n|---|---|\n")
            if header:
                first = [row.split(" | ")[0] for row in rows.partition("\n\n")[0].splitlines()]
                yield page, command, set(re.findall(r"`(-[\w-]+)", " ".join(first)))
        outline = re.search(r"^    bounty-ops ([a-z]+ [a-z]+) (.+?)\n\n", text_of(page), _OUTLINE)
        if outline is not None and page != "docs/reference/cli.md":  # which is made from them
            yield page, outline[1], set(re.findall(r"--[\w-]+", outline[2]))


@pytest.mark.parametrize(
    ("page", "command", "listed"),
    # Names of no set: its order is another one in each process, which then collects other tests.
    [pytest.param(*each, id=f"{each[0]} {each[1]}") for each in tables_of_options()],
)
def test_a_table_of_options_is_that_of_its_command(
    page: str, command: str, listed: set[str]
) -> None:
    found: click.Command = root
    for word in command.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word) or root
    options = [each for each in found.params if isinstance(each, click.Option)]
    named = [{*each.opts, *each.secondary_opts} for each in options]
    everywhere = {"--json", "-e", "--debug"}
    assert listed <= set().union(*named), page
    assert [each for each in named if not each & (listed | everywhere)] == [], page


def test_an_acknowledgement_as_the_page_writes_it_is_understood(
    bare_command_line: CommandLine,
) -> None:
    [block] = [
        block for block in blocks_of("docs/reference/lint.md") if block.language == "postgresql"
    ]
    (bare_command_line.home / "one.sql").write_text(block.text, encoding="utf-8")
    done = bare_command_line.run("db", "lint", "one.sql", "--managed", "--json")
    levels = {each["rule"]: each["level"] for each in done.document["findings"]}
    assert levels["table-dropped"] == "advice"
    without = block.text.partition("\n")[2]
    (bare_command_line.home / "one.sql").write_text(without, encoding="utf-8")
    done = bare_command_line.run("db", "lint", "one.sql", "--managed", "--json")
    levels = {each["rule"]: each["level"] for each in done.document["findings"]}
    assert levels["table-dropped"] == "error"
