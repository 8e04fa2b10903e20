"""`recover.py` restores a backup with nothing but Python, age and PostgreSQL's client programs."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest

import bounty_ops.restore
from bounty_ops.journal import recovery
from bounty_ops.restore.downloading import download_backup
from bounty_ops_tests.fix_backups import make_role, run, value
from bounty_ops_tests.fix_tls import own_address
from bounty_ops_tests.postgres.authority import certified_server
from bounty_ops_tests.restore.restores import new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.restore.restores import Restores

SOURCE = Path(bounty_ops.restore.__file__).with_name("recover.py")
TINY = 1 / 2**30


def download(restores: Restores, manifest: Manifest, directory: Path) -> Path:
    download_backup(manifest, restores.backups.journal, directory, progress=lambda _: None)
    return directory


@pytest.fixture
def recover(pg_programs: Programs) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the downloaded program as on a machine where nothing of ours is installed."""
    age = shutil.which("age")
    assert age is not None, "install age (Debian: apt install age)"

    def call(directory: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join((str(pg_programs.directory), str(Path(age).parent)))
        return subprocess.run(
            [sys.executable, "-I", "-S", directory / "recover.py", directory, *words],
            env={"PATH": path, "LC_ALL": "C.UTF-8", **variables},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return call


def test_it_is_written_for_the_pythons_that_servers_have() -> None:
    text = SOURCE.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 8))
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    names = {name.partition(".")[0] for name in imported}
    assert names <= set(sys.stdlib_module_names)
    assert ".removeprefix(" not in text


@pytest.mark.parametrize(("shard_above_gib", "encrypted"), [(8.0, False), (TINY, True)])
def test_one_of_everything_comes_back(
    zoo: DatabaseUrl,
    restores: Restores,
    recover: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    *,
    shard_above_gib: float,
    encrypted: bool,
) -> None:
    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"{key}\n", encoding="utf-8")
    manifest = restores.backups.take(
        zoo,
        shard_above_gib=shard_above_gib,
        encrypt_to=(str(key.to_public()),) if encrypted else (),
    )
    directory = download(restores, manifest, tmp_path / "backup")
    target = restores.target(zoo.with_database(new_name()))
    words = ["--into", target.url.text(), "--create"]

    if encrypted:
        keyless = recover(directory, *words)
        assert (keyless.returncode, "--identity" in keyless.stderr) == (2, True)
        words += ["--identity", str(tmp_path / "key")]
    done = recover(directory, *words)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Compared {len(manifest.tables)} tables, {manifest.rows} rows: 0 differ" in done.stdout
    assert value(target.url, "SELECT count(*) FROM app.animal") == 2004
    stored = {path.name for path in directory.rglob("*") if path.is_file()}
    assert not any(name.endswith(".dump") for name in stored if encrypted)
    assert target.url.password
    assert target.url.password not in done.stdout + done.stderr


def test_nothing_is_overwritten_and_a_wrong_place_is_told(
    zoo: DatabaseUrl,
    restores: Restores,
    recover: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    directory = download(restores, restores.backups.take(zoo), tmp_path / "backup")

    full = recover(directory, "--into", zoo.text())
    assert (full.returncode, "not empty" in full.stderr) == (2, True)
    nowhere = recover(directory, "--into", "postgresql://a:secret-word@127.0.0.1:1/b")
    assert (nowhere.returncode, "secret-word" in nowhere.stderr) == (3, False)
    assert recover(directory, "--into", "mysql://a/b").returncode == 2
    assert recover(directory).returncode == 2
    assert recover(directory, "--check-only", PATH="").returncode == 0
    missing = recover(directory, "--into", zoo.text(), PATH="/nonexistent")
    assert (missing.returncode, "apt install" in missing.stderr) == (3, True)


def test_a_server_on_a_network_is_verified_unless_somebody_said_otherwise(
    zoo: DatabaseUrl,
    restores: Restores,
    recover: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    pg_programs: Programs,
) -> None:
    directory = download(restores, restores.backups.take(zoo), tmp_path / "backup")
    with certified_server(pg_programs, tmp_path) as server:
        into = dataclasses.replace(server.url, database=new_name()).text()
        into += f"?hostaddr={own_address()}"
        home = {"HOME": str(tmp_path)}

        refused = recover(directory, "--create", "--into", into, **home)
        assert refused.returncode == 3
        assert "certificate verify failed" in refused.stderr
        assert "sslrootcert=/path/to/root.crt names another root certificate" in refused.stderr

        root = str(server.authority.root)
        words = ("--create", "--create-roles", "--into", into)
        trusted = recover(directory, *words, SSL_CERT_FILE=root, **home)
        assert trusted.returncode == 0, trusted.stdout + trusted.stderr
        assert "WARNING" not in trusted.stdout

        believed = recover(directory, "--into", f"{into}&sslmode=require", **home)
        assert (believed.returncode, "not empty" in believed.stderr) == (2, True)
        assert (
            "WARNING: sslmode=require: the connection is encrypted, and whoever" in believed.stdout
        )


def test_a_changed_object_and_a_lost_row_are_noticed(
    fresh_database: DatabaseUrl,
    restores: Restores,
    recover: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    run(fresh_database, "CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number")
    directory = download(restores, restores.backups.take(fresh_database), tmp_path / "backup")
    target = restores.target(fresh_database.with_database(new_name()))
    path = directory / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["tables"][0]["rows"] = 101
    path.write_text(json.dumps(manifest), encoding="utf-8")

    done = recover(directory, "--create", PGHOST=target.url.host, PGPORT=str(target.url.port),
                   PGUSER=target.url.user, PGPASSWORD=target.url.password or "",
                   PGDATABASE=target.url.database)  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "DIFFERS: public.fruit has 100 rows, the manifest says 101" in done.stdout

    archive = directory / "archive.dump"
    archive.write_bytes(archive.read_bytes()[:-1])
    broken = recover(directory, "--check-only")
    assert (broken.returncode, "is not what was stored" in broken.stderr) == (1, True)
    archive.unlink()
    assert "is missing" in recover(directory, "--check-only").stderr


def test_missing_roles_are_created_or_left_away(
    fresh_database: DatabaseUrl,
    restores: Restores,
    recover: Callable[..., subprocess.CompletedProcess[str]],
    pg_server_of: Callable[[int], DatabaseUrl],
    tmp_path: Path,
) -> None:
    owner = new_name()
    make_role(fresh_database, owner)
    run(fresh_database, "CREATE TABLE fruit (i integer)", f"ALTER TABLE fruit OWNER TO {owner}")
    directory = download(restores, restores.backups.take(fresh_database), tmp_path / "backup")
    other = pg_server_of(18)
    owned = "SELECT tableowner FROM pg_tables WHERE tablename = 'fruit'"

    first = restores.target(other.with_database(new_name())).url
    failed = recover(directory, "--create", "--into", first.text())
    assert (failed.returncode, "--create-roles" in failed.stderr) == (3, True)
    second = restores.target(other.with_database(new_name())).url
    assert recover(directory, "--create", "--no-owner", "--into", second.text()).returncode == 0
    assert value(second, owned) == second.user
    third = restores.target(other.with_database(new_name())).url
    assert recover(directory, "--create", "--create-roles", "--into", third.text()).returncode == 0
    assert value(third, owned) == owner


def test_settings_of_the_database_come_back_and_what_does_not_is_said(
    fresh_database: DatabaseUrl,
    restores: Restores,
    recover: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    source = fresh_database.database
    run(
        fresh_database,
        "CREATE TABLE fruit (i integer)",
        f"ALTER DATABASE {source} SET search_path TO app, public",
        f"ALTER DATABASE {source} SET statement_timeout TO '90s'",
        f"ALTER DATABASE {source} SET app.motto TO 'it''s \\ all'",
        f"ALTER DATABASE {source} SET app.api_key TO 'hush-hush'",
    )
    directory = download(restores, restores.backups.take(fresh_database), tmp_path / "backup")
    target = restores.target(fresh_database.with_database(new_name())).url

    done = recover(directory, "--create", "--into", target.text())

    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("NOT RESTORED")]
    assert [("app.api_key" in line, "hush" in line) for line in told] == [(True, False)]
    assert f"belonged to {fresh_database.user}" in done.stdout
    assert value(target, "SHOW search_path") == "app, public"
    assert value(target, "SHOW statement_timeout") == "90s"
    assert value(target, "SHOW app.motto") == "it's \\ all"


def test_the_bucket_has_it_and_never_an_older_one(
    fresh_database: DatabaseUrl, restores: Restores
) -> None:
    store = restores.backups.store
    assert recovery.publish_recover(store) is True
    assert store.get("recover.py") == SOURCE.read_bytes()
    assert recovery.publish_recover(store) is False

    for text, replaced in ((b"VERSION = 0\n", True), (b"VERSION = 999\n", False)):
        store.delete("recover.py")
        store.put_if_absent("recover.py", text)
        assert recovery.publish_recover(store) is replaced
    assert store.get("recover.py") == b"VERSION = 999\n"

    store.delete("recover.py")
    run(fresh_database, "CREATE TABLE fruit (i integer)")
    restores.backups.take(fresh_database)
    assert store.get("recover.py") == SOURCE.read_bytes()
