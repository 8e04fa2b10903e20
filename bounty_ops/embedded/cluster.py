"""One PostgreSQL cluster of our own: made, configured, started, and the reason if it does not."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.embedded import postmaster, server_log, template
from bounty_ops.embedded.disk import writing_to
from bounty_ops.embedded.keeping import Program
from bounty_ops.embedded.processes import wait_until
from bounty_ops.embedded.sharing import Use
from bounty_ops.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bounty_ops.embedded.keeping import Kept
    from bounty_ops.embedded.privileges import ServerUser
    from bounty_ops.postgres.programs import Programs

SUPERUSER: Final = "postgres"
_GRACE_SECONDS: Final = 5.0
#: Recovery after a crash replays WAL; what the largest demo leaves takes about a second.
_READY_SECONDS: Final = 120.0
#: Locale variables of the caller must not decide what initdb makes, nor the log's language.
_ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
_LOCALES: Final = ("C.UTF-8", "C")


@dataclass(frozen=True)
class Cluster:
    """A cluster in a directory.

    ``run`` holds what belongs to us (leases, report, log); ``data`` belongs to the server's user.
    ``settings`` is called at each start, when it is certain that no server of it runs.
    """

    programs: Programs
    user: ServerUser
    data: Path
    run: Path
    log: Path
    settings: Callable[[], Mapping[str, str]]
    password: str | None = field(default=None, repr=False)
    remove: tuple[Path, ...] = ()
    name: str = "postgresql"

    def make(self) -> None:
        """Create the cluster unless it is there; what an interrupted attempt left is redone.

        Raises:
            EmbeddedError: initdb failed; says why.
        """
        if self.data.exists():
            self._check_major()
            return
        # Under another name until it is complete: initdb may be killed in the middle.
        fresh = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        if self.password is None:
            self._copy_or_make(fresh)
        else:
            self._run_initdb(fresh)
        fresh.rename(self.data)

    def _copy_or_make(self, fresh: Path) -> None:
        """Without a password nothing in the new cluster is its own, so a copy will do."""
        argv = self._initdb(Path("/"), _LOCALES[0], None)
        argv = [argument for argument in argv if not argument.startswith("--pgdata=")]
        kept = template.place(self.user, argv)
        if kept is not None and template.copy(kept, fresh, self.user):
            return
        self._run_initdb(fresh)
        if kept is not None:
            template.keep(kept, fresh, self.user, argv[0])

    def _run_initdb(self, fresh: Path) -> None:
        with self._password_file() as password_file:
            for locale in _LOCALES:
                shutil.rmtree(fresh, ignore_errors=True)
                result = subprocess.run(
                    self.user.command(self._initdb(fresh, locale, password_file)),
                    env=_ENVIRONMENT,
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    check=False,
                )
                if result.returncode == 0 or "invalid locale" not in result.stdout:
                    break
        if result.returncode != 0:
            raise server_log.explain("initdb", result.stdout, directory=self.data.parent)

    def _initdb(self, data: Path, locale: str, password_file: Path | None) -> list[str]:
        program = self.user.programs_directory(self.programs.directory) / "initdb"
        local = "trust" if password_file is None else "scram-sha-256"
        host = "reject" if password_file is None else "scram-sha-256"
        argv = [
            str(program), f"--pgdata={data}", f"--username={SUPERUSER}", "--encoding=UTF8",
            f"--locale={locale}", f"--auth-local={local}", f"--auth-host={host}",
        ]  # fmt: skip
        if password_file is None:
            return [*argv, "--no-sync"]
        return [*argv, "--data-checksums", f"--pwfile={password_file}"]

    @contextmanager
    def _password_file(self) -> Iterator[Path | None]:
        if self.password is None:
            yield None
            return
        path = self.data.parent / f".password.{secrets.token_hex(8)}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(self.password + "\n")
            self.user.hand_over(path)
            yield path
        finally:
            path.unlink()

    def _check_major(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        if made_by != str(self.programs.major):
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {made_by}, and this is "
                f"{self.programs.version}",
                hint="Remove that directory to start with an empty database, or install "
                f"PostgreSQL {made_by}.",
            )

    def program(self) -> Program:
        """How a keeper runs it: SIGINT is PostgreSQL's fast shutdown."""
        # On the command line, not in a file: nothing is written into the server's directory.
        options = [f"--{name}={value}" for name, value in self.settings().items()]
        binary = self.user.programs_directory(self.programs.directory) / "postgres"
        return Program(
            argv=(str(binary), "-D", str(self.data), *options),
            log=self.log,
            environment=_ENVIRONMENT,
            become=self.user.become(),
            stop_signal=signal.SIGINT,
            grace_seconds=_GRACE_SECONDS,
            remove=self.remove,
        )

    def wait_ready(self, kept: Kept) -> None:
        """Return when the server accepts connections.

        Raises:
            EmbeddedError: it ended, or it takes too long.
        """
        report = kept.report()
        pid = report.server.pid if report else 0

        def settled() -> bool:
            return postmaster.accepts_connections(self.data, pid) or kept.failed()

        if not wait_until(settled, _READY_SECONDS):
            raise EmbeddedError(
                f"PostgreSQL has not become ready within {_READY_SECONDS:.0f} s",
                hint=f"Its log is {self.log}.",
            )
        if kept.failed():
            raise server_log.why("PostgreSQL", self.log, directory=self.data.parent)


def use(cluster: Cluster, *, also: Callable[[], None] | None = None) -> Use:
    """Start the cluster, made first if need be, or share it; see `Use`.

    Args:
        cluster: which.
        also: done by whoever starts it, once it accepts connections.

    Raises:
        EmbeddedError: (when entered) it cannot be made or started; says why.
    """

    def prepare() -> Program:
        with writing_to(cluster.data.parent):
            cluster.make()
            postmaster.clear_remains(cluster.data, grace_seconds=_GRACE_SECONDS)
            server_log.rotate(cluster.log)
            return cluster.program()

    def wait_ready(kept: Kept) -> None:
        cluster.wait_ready(kept)
        if also is not None:
            also()

    return Use(cluster.run, cluster.name, prepare=prepare, wait_ready=wait_ready)


@contextmanager
def running(cluster: Cluster) -> Iterator[Kept]:
    """The cluster, running for the length of the block.

    Raises:
        EmbeddedError: it cannot be made or started; says why.
    """
    with use(cluster) as used:
        used.ready()
        yield used.service
