"""What blocks of the pages are given: by the words of their comment, how it is made true."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bounty_ops_tests.docs.addressed import (
    a_server_at_this_address,
    a_session_pooler_at_this_address,
)
from bounty_ops_tests.docs.machine import PUBLIC, machine
from bounty_ops_tests.docs.pages import ROOT
from bounty_ops_tests.docs.walking import execute
from bounty_ops_tests.monitoring.conftest import eventually
from bounty_ops_tests.postgres.authority import Authority

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops_tests.docs.pages import Block
    from bounty_ops_tests.docs.walking import Stage, Walker

_SITE: Final = "dagster.example.com"
MAKE_SLOT: Final = "SELECT pg_create_physical_replication_slot('name_of_the_slot')"
_NEW_ROLE: Final = "bounty_ops_backup_2"
#: Every table with a row in it has a shard.
_IN_SHARDS: Final = "[defaults]\nshard_above_gib = 1e-6\n"


def shared_variables(walker: Walker) -> dict[str, str]:
    """What stands in the walk's `.env`."""
    lines = (walker.line.home / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def done(walker: Walker, *words: str) -> str:
    """What a command of ours says, which has to go well."""
    outcome = walker.line.run(*words)
    assert outcome.code == 0, outcome.stderr
    return outcome.stdout


def the_project_is_installed(walker: Walker, _: Block) -> None:
    """`make install` made `.venv`; ours may be elsewhere."""
    (walker.line.home / ".venv").symlink_to(sys.prefix)


def embedded_servers_have_run_here(walker: Walker, _: Block | None = None) -> None:
    """Nothing is set; what they leave lies in `.bounty-ops`."""
    for path in (*walker.line.home.glob(".env*"), walker.line.home / "bounty_ops.toml"):
        path.unlink(missing_ok=True)
    done(walker, "db", "migrate")
    done(walker, "backup", "list")
    assert (walker.line.home / ".bounty-ops" / "s3").is_dir()
    assert (walker.line.home / ".bounty-ops" / "secrets.json").is_file()


def a_server_for_staging(walker: Walker, _: Block) -> None:
    """At another address than that of the page."""
    shown = "postgresql://ROLE:PASSWORD@HOST:5432/bounty?sslmode=verify-full"
    walker.stands_for[shown] = walker.databases["staging"].text()
    (walker.line.home / ".env.staging").unlink()


def a_slot_that_nobody_reads(walker: Walker, _: Block) -> None:
    """By the name that the page uses."""
    execute(walker.databases["production"], MAKE_SLOT)


def the_buckets_keys_are_set(walker: Walker, _: Block) -> None:
    """As somebody takes them out of a safe."""
    said = shared_variables(walker)
    walker.export({name: value for name, value in said.items() if name.startswith("AWS_")})
    walker.stands_for["s3://BUCKET/PREFIX"] = said["BACKUP_BUCKET"]


def nothing_was_fetched_yet(walker: Walker, _: Block) -> None:
    """What another program fetched is whole, and out of the way."""
    fetched = walker.line.home / "backup"
    if fetched.exists():
        code, said = walker.in_a_shell("python3 backup/recover.py backup --check-only")
        assert code == 0, said
        fetched.rename(fetched.with_name("fetched-before"))


def a_backup_in_shards(walker: Walker, _: Block) -> None:
    """It was fetched, and the database by hand is empty."""
    home = walker.line.home
    policies = home / "bounty_ops.toml"
    policies.write_text(_IN_SHARDS + policies.read_text(encoding="utf-8"), encoding="utf-8")
    taken = json.loads(done(walker, "backup", "run", "-e", "production", "--no-verify", "--json"))
    (home / "backup").rename(home / "backup-in-one")
    done(walker, "backup", "download", taken["id"], "backup")
    assert len(list((home / "backup" / "shards").iterdir())) > 1
    by_hand = "bounty_by_hand"
    execute(walker.databases["staging"], f"DROP DATABASE {by_hand}", f"CREATE DATABASE {by_hand}")


def its_sql_was_run(walker: Walker, _: Block) -> None:
    """The second role for backups is there."""
    production = walker.databases["production"]
    words = ("db", "grants", "-e", "production", "--for", "backup", "--role", _NEW_ROLE)
    execute(production, done(walker, *words))
    gone = (f"DROP OWNED BY {_NEW_ROLE}", f"DROP ROLE {_NEW_ROLE}")
    walker.closing.callback(execute, production, *gone)


def the_new_role_is_in_the_address(walker: Walker, _: Block) -> None:
    """With the password that was typed."""
    new = replace(walker.databases["production"], user=_NEW_ROLE, password=walker.typed)
    path = walker.line.home / ".env.production"
    path.write_text(f"DATABASE_URL={new.text()}\n", encoding="utf-8")


def nginx_runs_here(walker: Walker, _: Block) -> None:
    """As Debian's package leaves it, with nothing to serve yet; and somebody behind it."""
    place = walker.line.home.parent / "nginx"
    walker.machine = here = walker.closing.enter_context(machine(place, alone=True))
    shutil.rmtree(here.etc / "nginx" / "sites-enabled")
    authority = Authority(place / "authority")
    for part, file in zip(("crt", "key"), authority.sign(_SITE), strict=True):
        here.place(f"/etc/nginx/tls/{_SITE}.{part}", file.read_bytes())
    here.place(PUBLIC, authority.root.read_bytes())
    here.name(_SITE, "127.0.0.1")
    (walker.line.home / "examples").symlink_to(ROOT / "examples")
    behind = place / "behind"
    behind.mkdir()
    (behind / "server_info").write_text("{}")
    answering = [sys.executable, "-m", "http.server", "3000", "--bind", "127.0.0.1"]
    for argv in (["nginx", "-g", "daemon off;"], [*answering, "--directory", str(behind)]):
        process = subprocess.Popen([*here.enter, *argv], stderr=subprocess.DEVNULL)
        walker.closing.callback(process.wait, timeout=60)
        walker.closing.callback(process.terminate)
    eventually((place / "0" / "nginx.pid").exists)
    eventually(lambda: _answers(walker, "http://127.0.0.1:3000/server_info"))


def nginx_has_read_it(walker: Walker, _: Block) -> None:
    """It was only told to."""
    eventually(lambda: _answers(walker, f"https://{_SITE}/"))


def _answers(walker: Walker, address: str) -> bool:
    return walker.in_a_shell(f"curl --silent --output /dev/null {address}")[0] == 0


STAGES: Final[Mapping[str, Stage]] = {
    each.__name__.replace("_", " "): each
    for each in (
        a_backup_in_shards,
        a_server_at_this_address,
        a_server_for_staging,
        a_session_pooler_at_this_address,
        a_slot_that_nobody_reads,
        embedded_servers_have_run_here,
        its_sql_was_run,
        nginx_has_read_it,
        nginx_runs_here,
        nothing_was_fetched_yet,
        the_buckets_keys_are_set,
        the_new_role_is_in_the_address,
        the_project_is_installed,
    )
}
