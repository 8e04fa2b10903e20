"""The services of examples/compose, run: a code location over gRPC, a job launched by GraphQL.

The units of examples/systemd have the same commands (test_systemd.py compares them), and so has
the image.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml  # type: ignore[import-untyped]  # it has no stubs here
from psycopg import sql

from bounty_ops.cli.dagster_client import DagsterClient
from bounty_ops.embedded import ports
from bounty_ops.environments import load_settings
from bounty_ops.journal.bucket import Journal
from bounty_ops.journal.records import Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.deployment.examples import COMPOSE, ROOT, read, variables
from bounty_ops_tests.deployment.running import healthy, running, wait_for
from bounty_ops_tests.deployment.test_compose import make_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

SERVICES: Final[dict[str, dict[str, Any]]] = read(COMPOSE / "compose.yaml")["services"]
JOB: Final = "production_nightly"
ROLE: Final = "bounty_ops"


@dataclass
class Deployment:
    """A directory for each place of the image, and what is replaced in commands and variables."""

    root: Path
    replaced: dict[str, str]
    hosts: dict[str, str]
    """What is replaced where it is all of a variable's value."""
    started: ExitStack = field(default_factory=ExitStack)

    def told(self, text: str) -> str:
        for name, by in self.replaced.items():
            text = text.replace(name, by)
        return text

    def environment(self, name: str) -> dict[str, str]:
        """The variables of a service: of the image, of the Compose file, of the secrets."""
        image = {"BOUNTY_OPS_HOME": "/srv/bounty-ops", "DAGSTER_HOME": "/srv/dagster"}
        given = {} if name == "s3" else image
        given |= SERVICES[name].get("environment", {})
        for file in SERVICES[name]["env_file"]:
            given |= variables(self.root / file)
        return {key: self.hosts.get(said, self.told(said)) for key, said in given.items()}

    def start(self, name: str, *more: str) -> None:
        words = [*SERVICES[name].get("entrypoint", []), *SERVICES[name]["command"]]
        # Compose makes one dollar of two.
        argv = [self.told(word).replace("$$", "$") for word in words]
        self.started.enter_context(
            running([*argv, *more], self.environment(name), self.home, self.log(name))
        )

    def wait_until_healthy(self, name: str) -> None:
        test = [self.told(word) for word in SERVICES[name]["healthcheck"]["test"]]
        environment = self.environment(name)
        wait_for(name, lambda: healthy(test, environment, self.home), self.log(name))

    def log(self, name: str) -> Path:
        return self.root / f"{name}.log"

    @property
    def home(self) -> Path:
        return self.root / "srv/bounty-ops"


@contextmanager
def server_with_its_databases(server: DatabaseUrl, password: str) -> Iterator[None]:
    """What the image of PostgreSQL makes of its variables and of databases.sql, dropped again."""
    made = [ROLE, *(line.split()[2].strip(";") for line in statements())]
    with connect(server, application_name="tests") as connection:
        text = sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}")
        connection.execute(text.format(sql.Identifier(ROLE), sql.Literal(password)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(ROLE)))
        for statement in statements():
            connection.execute(statement.encode())
    yield
    with connect(server, application_name="tests") as connection:
        for name in made:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(ROLE)))


def statements() -> list[str]:
    lines = (COMPOSE / "databases.sql").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("--")]


def replacements(root: Path, server: DatabaseUrl, *, s3: int) -> dict[str, str]:
    code, ui = ports.choose(2)
    return {
        "/srv/": f"{root}/srv/",
        "=/data": f"={root}/data",
        "http://s3:8333": f"http://127.0.0.1:{s3}",
        "=8333": f"={s3}",
        "-ip=s3": "-ip=127.0.0.1",
        "0.0.0.0": "127.0.0.1",  # noqa: S104 - what a container listens on
        "postgres:5432": f"{server.host}:{server.port}",
        "4266": str(code),
        "3000": str(ui),
    }


@pytest.fixture
def deployment(
    tmp_path: Path, pg_server: DatabaseUrl, fresh_database: DatabaseUrl
) -> Iterator[Deployment]:
    """Everything of the Compose file, running, in the order that it asks for."""
    done = make_secrets(tmp_path, DATABASE_URL=fresh_database.text(), BOUNTY_ENV="production")
    assert done.returncode == 0, done.stderr
    s3, *others = ports.choose(5, pairs=True)
    hosts = {"postgres": pg_server.host, "5432": str(pg_server.port)}
    place = Deployment(tmp_path, replacements(tmp_path, pg_server, s3=s3), hosts)
    dagster = tmp_path / "srv/dagster"
    for directory in (place.home, dagster, tmp_path / "data"):
        directory.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", dagster)
    workspace = read(COMPOSE / "workspace.yaml")
    address = {"host": "127.0.0.1", "port": int(place.told("4266"))}
    workspace["load_from"][0]["grpc_server"] |= address
    (dagster / "workspace.yaml").write_text(yaml.safe_dump(workspace))
    # The server of the tests speaks no TLS.
    (place.home / "bounty_ops.toml").write_text("[environments.production]\nrequire_tls = false\n")
    password = variables(tmp_path / "secrets/postgres.env")["POSTGRES_PASSWORD"]
    with server_with_its_databases(pg_server, password), place.started:
        names = ("filer", "volume", "master", "admin")
        # In containers they have addresses of their own; here they would meet those of other tests.
        place.start(
            "s3", *(f"-{name}.port={port}" for name, port in zip(names, others, strict=True))
        )
        place.start("code")
        place.wait_until_healthy("code")
        place.start("daemon")
        place.start("webserver")
        place.wait_until_healthy("webserver")
        yield place


@pytest.mark.soak
def test_a_code_server_is_not_started_without_its_storage(tmp_path: Path) -> None:
    """It would start, and answer every tick with what it met then."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    (free,) = ports.choose(1)
    storage = {"HOST": ports.LOOPBACK, "PORT": str(free), "USER": "x", "DB": "x"}
    environment = {f"DAGSTER_PG_{name}": value for name, value in storage.items()}
    environment |= {"DAGSTER_HOME": str(tmp_path), "DAGSTER_PG_PASSWORD": "s3cret"}
    words = [word.replace("$$", "$") for word in SERVICES["code"]["entrypoint"]]
    log = tmp_path / "log"
    with running([*words, "echo", "started"], environment, tmp_path, log) as process:
        assert process.wait(120) not in {0, None}
    told = log.read_text("utf-8")
    assert "too many retries for DB connection" in told
    assert "started" not in told.splitlines()
    assert "s3cret" not in told


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_night_that_is_launched_by_graphql_is_proved(
    deployment: Deployment, fresh_database: DatabaseUrl
) -> None:
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number")
    client = DagsterClient(deployment.told("http://127.0.0.1:3000"))
    job = client.jobs()[JOB]
    assert job.location == "bounty-ops"
    run = client.wait(client.launch(job, tags={}), JOB)
    assert run.succeeded, client.failure(run.run_id)

    code = deployment.environment("code")
    settings = load_settings(deployment.home, code)
    journal = Journal(ObjectStore(settings.require_object_store()))
    (backup,) = journal.summaries("production")
    assert backup.verdict is Verdict.PROVED
    deployment.wait_until_healthy("daemon")

    secrets = {
        value
        for file in (deployment.root / "secrets").iterdir()
        for name, value in variables(file).items()
        if name not in {"BOUNTY_ENV", "AWS_ACCESS_KEY_ID"}
    }
    for name in ("code", "daemon", "webserver", "s3"):
        told = deployment.log(name).read_text("utf-8", "replace")
        assert not [each for each in secrets if each in told], f"the log of {name} shows a secret"
    assert "DATABASE_URL" not in deployment.environment("webserver")
