#!/usr/bin/env python3
"""Restore a backup of bounty-ops without bounty-ops.

    python3 recover.py DIRECTORY --into postgresql://user@host/new_database --create

DIRECTORY holds what was downloaded of one backup: manifest.json and the objects that it names
(archive.dump or archive.dump.age, and shards/ if there are any). Needed are Python 3.8 or newer and
the programs pg_restore and psql of PostgreSQL, of the server's major version; for an encrypted
backup also age (https://age-encryption.org) and the file with the private key.

What happens: the SHA-256 of every object is compared with the manifest, encrypted ones are
decrypted, everything is restored into an empty database, and the rows of every table are counted
and compared with the manifest. A server on a network is verified (sslmode=verify-full, with what
this machine trusts) unless the URL or PGSSLMODE says otherwise. Exit codes: 0 all is there, 1
something differs, 2 wrong usage, 3 it could not be done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = 3
KNOWN_FORMAT = 2
#: psql's exit code where there was no connection, or it was lost.
NO_CONNECTION = 2
CHUNK = 1 << 20
#: Parameters of a URL, and the variables of libpq that mean the same.
PARAMETERS = {
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY", "connect_timeout": "PGCONNECT_TIMEOUT", "options": "PGOPTIONS",
    "host": "PGHOST", "port": "PGPORT", "channel_binding": "PGCHANNELBINDING",
    "target_session_attrs": "PGTARGETSESSIONATTRS", "application_name": "PGAPPNAME",
    "hostaddr": "PGHOSTADDR", "sslcrl": "PGSSLCRL", "require_auth": "PGREQUIREAUTH",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
}  # fmt: skip
#: Where systems keep the certificates that they trust, in one file.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
)  # fmt: skip
#: Of libpq's modes those that do not look whose certificate it is.
UNVERIFIED = {
    "disable": "the backup's rows and your password travel in the clear",
    "allow": "the backup's rows and your password may travel in the clear",
    "prefer": "the backup's rows and your password may travel in the clear",
    "require": "the connection is encrypted, and whoever answers is believed",
}
#: Rows under this name are large objects.
LARGE_OBJECTS = ("pg_catalog", "pg_largeobject")
PROVIDERS = {"i": "icu", "b": "builtin", "c": "libc"}
#: What stands in the way of an archive.
IN_THE_WAY = """
SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""


class Stop(Exception):
    """It ends here; with which exit code, and why."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


def say(text: str) -> None:
    """Tell what happens."""
    print(text, flush=True)


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n")[0],
        epilog="Without --into the variables of libpq (PGHOST, PGDATABASE, PGPASSWORD ...) say "
        "where to. --check-only needs no server.",
    )
    parser.add_argument("directory", type=Path, help="what was downloaded of one backup")
    parser.add_argument("--into", metavar="URL", help="the database to restore into")
    parser.add_argument("--create", action="store_true", help="create it, with the source's locale")
    parser.add_argument("--identity", metavar="FILE", type=Path, help="age's private key")
    # Parallel sessions of pg_restore can get into each other's way, and then a sound backup fails.
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        help="sessions at a time (default 1; more are faster, but may run into each other)",
    )
    parser.add_argument(
        "--no-owner", action="store_true", help="everything belongs to whoever restores"
    )
    parser.add_argument(
        "--create-roles", action="store_true", help="create missing roles, which cannot log in"
    )
    parser.add_argument(
        "--check-only", action="store_true", help="compare the SHA-256 of the objects, no more"
    )
    parser.add_argument(
        "--keep-plain", metavar="DIR", type=Path, help="put decrypted archives there, and keep them"
    )
    return parser.parse_args(words)


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of the backup."""
    path = directory / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Stop(2, f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise Stop(2, f"{path} is not JSON") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format_version"), int):
        raise Stop(2, f"{path} is not the manifest of a backup")
    if manifest["format_version"] > KNOWN_FORMAT:
        raise Stop(
            2,
            "{} has format version {}, this program knows {}: take the recover.py that lies in "
            "the bucket now".format(path, manifest["format_version"], KNOWN_FORMAT),
        )
    return manifest


def objects(manifest: dict[str, Any], directory: Path) -> list[tuple[dict[str, Any], Path]]:
    """Every object with its file, the main archive first."""
    prefix = "backups/{}/{}/".format(manifest["environment"], manifest["id"])
    found = []
    for one in sorted(manifest["objects"], key=lambda each: each.get("role") != "archive"):
        name = one["key"][len(prefix) :] if one["key"].startswith(prefix) else one["key"]
        path = directory / name
        if not path.is_file():  # downloaded without the directory that it lay in
            path = directory / name.rpartition("/")[2]
        if not path.is_file():
            raise Stop(1, f"{directory / name} is missing")
        found.append((one, path))
    return found


def check(one: dict[str, Any], path: Path) -> None:
    """Compare size and SHA-256 with the manifest."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
            size += len(chunk)
    if (size, digest.hexdigest()) != (one["size_bytes"], one["sha256"]):
        raise Stop(
            1,
            f"{path} is not what was stored: {size} bytes, SHA-256 {digest.hexdigest()}; the "
            f"manifest says {one['size_bytes']} bytes, {one['sha256']}",
        )


def program(name: str) -> str:
    """Where a program is."""
    found = shutil.which(name)
    if found is None:
        package = "age" if name == "age" else "postgresql-client"
        raise Stop(3, f"{name} is not on the PATH (Debian: apt install {package})")
    return found


def decrypt(path: Path, identity: Path, plain: Path) -> Path:
    """Decrypt one object with age."""
    target = plain / re.sub(r"\.age$", "", path.name)
    if target.exists():
        target = plain / f"shard-{target.name}"
    command = [program("age"), "-d", "-i", str(identity), "-o", str(target), str(path)]
    if subprocess.run(command, check=False).returncode != 0:
        raise Stop(3, f"age could not decrypt {path}")
    return target


def libpq(url: str | None) -> dict[str, str]:
    """Variables for libpq: arguments of programs can be read by everybody on the machine."""
    environment = dict(os.environ)
    environment.update(LC_MESSAGES="C", PGAPPNAME=environment.get("PGAPPNAME", "recover.py"))
    if url is None:
        return environment
    parts = urlsplit(url)
    if parts.scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise Stop(2, "--into is not a URL such as postgresql://user@host:5432/database")
    try:
        values = {
            "PGHOST": unquote(parts.hostname or ""), "PGPORT": str(parts.port or ""),
            "PGUSER": unquote(parts.username or ""), "PGPASSWORD": unquote(parts.password or ""),
            "PGDATABASE": unquote(parts.path.lstrip("/")),
        }  # fmt: skip
    except ValueError:
        raise Stop(2, "--into is not a URL such as postgresql://user@host:5432/database") from None
    for name, value in parse_qsl(parts.query):
        if name in PARAMETERS:
            values[PARAMETERS[name]] = value
    environment.update({name: value for name, value in values.items() if value})
    return environment


def stays_here(environment: dict[str, str]) -> bool:
    """Whether no network is between here and the server."""
    hosts = environment.get("PGHOSTADDR") or environment.get("PGHOST") or ""
    for host in hosts.split(","):
        if host.startswith(("/", "@")) or host in ("", "localhost"):
            continue
        try:
            if ip_address(host).is_loopback:
                continue
        except ValueError:
            pass
        return False
    return True


def verify_the_server(environment: dict[str, str]) -> None:
    """Have a server on a network verified unless somebody said otherwise: it gets every row."""
    if stays_here(environment) or environment.get("PGSERVICE"):
        return
    mode = environment.setdefault("PGSSLMODE", "verify-full")
    if mode in UNVERIFIED:
        say(f"WARNING: sslmode={mode}: {UNVERIFIED[mode]}")
        return
    usual = Path("~/.postgresql/root.crt").expanduser()
    if environment.get("PGSSLROOTCERT") or usual.is_file():
        return
    # psql before 16 does not know "system".
    paths = (os.environ.get("SSL_CERT_FILE"), *BUNDLES)
    found = [path for path in paths if path and Path(path).is_file()]
    environment["PGSSLROOTCERT"] = found[0] if found else "system"


def ask(environment: dict[str, str], statement: str, database: str | None = None) -> str:
    """What psql answers, without headings; it reads the statement, so no secret is an argument."""
    env = dict(environment, **({"PGDATABASE": database} if database else {}))
    # search_path by a SET: a pooler may not take it as an option.
    done = subprocess.run(
        [program("psql"), "-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        input=f"SET search_path = pg_catalog; SET row_security = off;\n{statement};\n",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, check=False, encoding="utf-8",
    )  # fmt: skip
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no word"]
        why = f"psql failed: {lines[0]}"
        if done.returncode == NO_CONNECTION and env.get("PGSSLMODE", "").startswith("verify"):
            why += (
                ". (The server is verified, with {}: in the URL, sslrootcert=/path/to/root.crt "
                "names another root certificate, and sslmode=require does without one, where "
                "nobody can be in between)".format(env.get("PGSSLROOTCERT", "root.crt"))
            )
        raise Stop(3, why)
    return done.stdout.strip()


def quote(name: str) -> str:
    """A name for a statement."""
    return '"{}"'.format(name.replace('"', '""'))


def literal(value: str) -> str:
    """A text for a statement."""
    return "E'{}'".format(value.replace("\\", "\\\\").replace("'", "\\'"))


def about(manifest: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """What the manifest records for making a copy."""
    return [json.loads(line) for line in manifest.get("inventory", {}).get(name, ())]


def create(manifest: dict[str, Any], environment: dict[str, str]) -> None:
    """Create the database with the source's encoding and locale, or with the server's own."""
    database = environment.get("PGDATABASE", "")
    beside = "template1" if database == "postgres" else "postgres"
    facts = (about(manifest, "about_database") or [{}])[0]
    words = ["ENCODING {}".format(literal(facts.get("encoding") or "UTF8"))]
    if facts.get("collate"):
        words.append("LC_COLLATE {}".format(literal(facts["collate"])))
        words.append("LC_CTYPE {}".format(literal(facts["ctype"])))
        provider = facts.get("provider")
        if provider:
            words.append("LOCALE_PROVIDER {}".format(PROVIDERS.get(provider, "libc")))
        if provider in ("i", "b"):
            option = "ICU_LOCALE" if provider == "i" else "BUILTIN_LOCALE"
            words.append("{} {}".format(option, literal(facts["locale"])))
    statement = f"CREATE DATABASE {quote(database)} TEMPLATE template0 "
    try:
        ask(environment, statement + " ".join(words), beside)
    except Stop as first:
        if "already exists" in str(first):
            raise
        say(f"The source's locale is not to be had here ({first}); the server's own is used.")
        ask(environment, statement, beside)


def prepare(
    manifest: dict[str, Any], environment: dict[str, str], wishes: argparse.Namespace
) -> None:
    """Make sure that the database is empty, and that the roles are there."""
    if wishes.create:
        create(manifest, environment)
    version = int(ask(environment, "SHOW server_version_num")) // 10000
    if version < manifest["server_major"]:
        raise Stop(
            2,
            "the server is PostgreSQL {}; the backup needs {} or newer".format(
                version, manifest["server_major"]
            ),
        )
    found = ask(environment, IN_THE_WAY)
    if found != "0":
        raise Stop(
            2,
            f"the database is not empty ({found} tables, views or sequences). Name an empty one, "
            "or a new one with --create: nothing is ever overwritten",
        )
    schemas = manifest.get("inventory", {}).get("schemas")
    if schemas is not None and not any(line.startswith("public: ") for line in schemas):
        ask(environment, "DROP SCHEMA IF EXISTS public")
    if wishes.create_roles:
        there = set(ask(environment, "SELECT rolname FROM pg_roles").splitlines())
        for role in about(manifest, "about_roles"):
            if role["name"] not in there:
                ask(environment, "CREATE ROLE {} NOLOGIN".format(quote(role["name"])))


def pg_restore(environment: dict[str, str], archive: Path, options: Sequence[str]) -> None:
    """Run pg_restore to its end."""
    command = [
        program("pg_restore"), "--exit-on-error", "--no-password", "--no-tablespaces",
        "--no-subscriptions", "--no-security-labels", *options,
        "--dbname={}".format(environment.get("PGDATABASE", "")), str(archive),
    ]  # fmt: skip
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        raise Stop(
            3,
            "pg_restore failed, see above. If a role is missing: --create-roles or --no-owner. The "
            "database holds a part of the backup now; drop it before you try again",
        )


def restore(
    archives: Sequence[Path], environment: dict[str, str], wishes: argparse.Namespace
) -> None:
    """Restore: definitions, then all rows, then indexes, constraints and triggers."""
    options = ["--no-owner", "--no-acl"] if wishes.no_owner else []
    jobs = [f"--jobs={max(1, wishes.jobs)}"]
    main, shards = archives[0], archives[1:]
    if not shards:
        pg_restore(environment, main, options + jobs)
        return
    pg_restore(environment, main, [*options, "--section=pre-data"])
    pg_restore(environment, main, options + jobs + ["--section=data"])
    for number, shard in enumerate(shards, start=1):
        say(f"Restoring shard {number} of {len(shards)}")
        pg_restore(environment, shard, [*options, "--section=data"])
    pg_restore(environment, main, options + jobs + ["--section=post-data"])


def furnish(manifest: dict[str, Any], environment: dict[str, str]) -> None:
    """Give a database that was made here the source's settings; what cannot be given is said."""
    database = environment["PGDATABASE"]
    facts = (about(manifest, "about_database") or [{}])[0]
    for one in facts.get("values") or ():
        role, name, value = one["role"], one["name"], one["value"]
        what = "the setting {}{}".format(name, "" if role is None else f" of {role}")
        if value is None:
            say(f"NOT RESTORED: {what}; its value may be a secret and is in no backup")
            continue
        whom = f"ALTER DATABASE {quote(database)}"
        if role is not None:
            whom = f"ALTER ROLE {quote(role)} IN DATABASE {quote(database)}"
        which = ".".join(quote(part) for part in name.split("."))
        # FROM CURRENT, because some settings are lists, which one literal would turn into one name.
        change = "BEGIN; SELECT set_config({}, {}, true); {} SET {} FROM CURRENT; COMMIT;"
        try:
            ask(environment, change.format(literal(name), literal(value), whom, which))
        except Stop as stop:
            say(f"NOT RESTORED: {what}: {stop}")
    if facts.get("owner"):
        say(
            "The source's database belonged to {}; to whom this one belongs, and who may connect, "
            "is yours to say.".format(facts["owner"])
        )


def compare(manifest: dict[str, Any], environment: dict[str, str]) -> int:
    """Count the rows of every table; how many tables differ."""
    of_extensions = _tables_of_extensions(environment)
    wrong = total = 0
    for one in manifest["tables"]:
        name = (one["schema"], one["name"])
        if one.get("rows") is None:
            continue
        found = _rows(environment, name)
        # What an extension fills by itself is not told by the number of rows.
        if found is not None and (found == one["rows"] or name in of_extensions):
            total += found
            continue
        wrong += 1
        say(
            "DIFFERS: {}.{} has {} rows, the manifest says {}".format(
                *name, "no" if found is None else found, one["rows"]
            )
        )
    say("Compared {} tables, {} rows: {} differ".format(len(manifest["tables"]), total, wrong))
    return wrong


def _tables_of_extensions(environment: dict[str, str]) -> set[tuple[str, ...]]:
    statement = (
        "SELECT pg_catalog.json_build_array(n.nspname, c.relname) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_depend d ON d.objid = c.oid"
        " AND d.classid = 'pg_class'::regclass AND d.deptype = 'e' WHERE c.relkind = 'r'"
    )
    return {tuple(json.loads(line)) for line in ask(environment, statement).splitlines()}


def _rows(environment: dict[str, str], name: tuple[str, str]) -> int | None:
    if name == LARGE_OBJECTS:
        return int(ask(environment, "SELECT count(*) FROM pg_largeobject_metadata"))
    label = f"{quote(name[0])}.{quote(name[1])}"
    kind = ask(
        environment,
        f"SELECT relkind FROM pg_class WHERE oid = to_regclass({literal(label)})",
    )
    if not kind:
        return None
    # A partitioned table stands for its partitions where those are not counted one by one.
    only = "" if kind == "p" else "ONLY "
    return int(ask(environment, f"SELECT count(*) FROM {only}{label}"))


def recover(wishes: argparse.Namespace) -> int:
    """Everything in its order; the exit code."""
    manifest = read_manifest(wishes.directory)
    say(
        "Backup {} of {}, taken {}, PostgreSQL {}".format(
            manifest["id"],
            manifest["environment"],
            manifest["taken_at"],
            manifest["server_version"],
        )
    )
    found = objects(manifest, wishes.directory)
    for one, path in found:
        check(one, path)
    say(f"{len(found)} objects, every SHA-256 as recorded")
    if wishes.check_only:
        return 0
    encrypted = manifest.get("encryption") is not None
    if encrypted and wishes.identity is None:
        raise Stop(2, "the backup is encrypted: give the file with age's private key, --identity")
    environment = libpq(wishes.into)
    if not environment.get("PGDATABASE"):
        raise Stop(2, "no database is named: --into postgresql://user@host/database")
    verify_the_server(environment)
    with tempfile.TemporaryDirectory(prefix="recover-", dir=str(wishes.directory)) as scratch:
        plain = wishes.keep_plain or Path(scratch)
        plain.mkdir(mode=0o700, parents=True, exist_ok=True)
        archives = [
            decrypt(path, wishes.identity, plain) if encrypted else path for _, path in found
        ]
        prepare(manifest, environment, wishes)
        say("Restoring into {}".format(environment["PGDATABASE"]))
        restore(archives, environment, wishes)
    ask(environment, "ANALYZE")
    differing = compare(manifest, environment)
    if wishes.create:
        # Last of all: a statement_timeout of the source's would end what reads every row.
        furnish(manifest, environment)
    return 1 if differing else 0


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run, and end with an exit code."""
    try:
        code = recover(arguments(words))
    except Stop as stop:
        print(f"recover.py: {stop}", file=sys.stderr)
        code = stop.code
    except (OSError, KeyError, TypeError) as error:
        print(f"recover.py: {type(error).__name__}: {error}", file=sys.stderr)
        code = 3
    except KeyboardInterrupt:
        print("recover.py: interrupted", file=sys.stderr)
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
