"""The operations database dies in the middle of the night, and comes back."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from bounty_ops.embedded import ports
from bounty_ops.embedded.cluster import SUPERUSER, Cluster, running
from bounty_ops.embedded.privileges import server_user
from bounty_ops.embedded.processes import wait_until
from bounty_ops.environments import DatabaseUrl
from bounty_ops.journal.records import Verdict
from bounty_ops_tests.defs.test_nightly import checks, metadata
from bounty_ops_tests.fix_backups import run, sessions, value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.defs.conftest import Deployment

ASSETS = ("database_backup", "restore_verification", "backup_catalogue")


class Operations:
    """An operations database on a server of its own, which can be killed and started again."""

    def __init__(self, programs: Programs, directory: Path) -> None:
        port, password = ports.choose(1)[0], secrets.token_urlsafe(16)
        user = server_user()
        self.data = user.place(directory) / "data"
        settings = {
            "listen_addresses": ports.LOOPBACK,
            "unix_socket_directories": "",
            "port": str(port),
        }
        self.cluster = Cluster(
            programs, user, self.data, directory, directory / "server.log", lambda: settings,
            password=password,
        )  # fmt: skip
        self.url = DatabaseUrl(ports.LOOPBACK, port, "postgres", SUPERUSER, password)

    def kill(self) -> None:
        pid = int((self.data / "postmaster.pid").read_text("utf-8").splitlines()[0])
        os.kill(pid, signal.SIGQUIT)


@pytest.mark.soak
@pytest.mark.parametrize("during", ["the backup", "the verification"])
def test_a_night_whose_operations_database_is_killed_is_proved_and_indexed_later(
    make_deployment: Callable[..., Deployment],
    fresh_database: DatabaseUrl,
    pg_programs: Programs,
    tmp_path: Path,
    during: str,
) -> None:
    source = fresh_database
    run(source, "CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number")
    deployment = make_deployment(development=source)
    operations = Operations(pg_programs, tmp_path / "ops")
    path = deployment.home / ".env"
    lines = [line for line in path.read_text("utf-8").splitlines() if "OPS_" not in line]
    path.write_text("\n".join([*lines, f"OPS_DATABASE_URL={operations.url.text()}"]), "utf-8")
    journal = deployment.journal()

    def under_way() -> bool:
        if during == "the backup":
            return any("bounty-ops" in name for name in sessions(source))
        return bool(journal.summaries("development"))

    def strike() -> None:
        assert wait_until(under_way, 60)
        operations.kill()

    with running(operations.cluster):
        striking = threading.Thread(target=strike)
        striking.start()
        result = deployment.run("development_nightly")
        striking.join()

    assert result.success
    (summary,) = journal.summaries("development")
    assert summary.verdict is Verdict.PROVED
    told = [metadata(result, f"development/{asset}")["catalogue"] for asset in ASSETS]
    assert all(one.startswith("not indexed, the bucket has it") for one in told[1:])
    assert checks(result)["backup_catalogue:indexed"] is False
    assert (operations.url.password or "") not in deployment.everything_told(result)

    with running(operations.cluster):
        job = deployment.definitions().resolve_implicit_global_asset_job_def()
        again = job.execute_in_process(
            instance=deployment.instance,
            asset_selection=[dg.AssetKey(["development", "backup_catalogue"])],
        )
        assert checks(again)["backup_catalogue:indexed"] is True
        assert value(operations.url, "SELECT id FROM bounty_ops.backup") == summary.id
        assert value(operations.url, "SELECT verdict FROM bounty_ops.verification") == "proved"
