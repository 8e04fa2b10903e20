"""What the embedded servers remember in ``.bounty-ops/``: passwords and ports.

``secrets.json`` (0600) is written once. ``ports.json`` is written whenever a port has to change.
Both are replaced as a whole, so a reader never sees half of one.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Final

from bounty_ops.embedded import ports
from bounty_ops.embedded.disk import writing_to
from bounty_ops.embedded.locks import FileLock
from bounty_ops.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_PASSWORD_BYTES: Final = 24
_OURS_ONLY: Final = 0o700
_OTHERS: Final = 0o077


def _random() -> str:
    return secrets.token_urlsafe(_PASSWORD_BYTES)


@dataclass(frozen=True)
class Secrets:
    """The passwords of one state directory; ``identity`` is not secret, it names the generation."""

    identity: str = field(default_factory=lambda: secrets.token_hex(8))
    postgres: str = field(default_factory=_random, repr=False)
    bounty: str = field(default_factory=_random, repr=False)
    bounty_ops: str = field(default_factory=_random, repr=False)
    s3_access_key_id: str = field(default_factory=lambda: secrets.token_hex(10))
    s3_secret_access_key: str = field(default_factory=_random, repr=False)


@dataclass(frozen=True)
class State:
    """The state directory and the places in it."""

    root: Path

    @property
    def run(self) -> Path:
        """Leases, locks and reports."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One log per server, and that of its run before."""
        return self.root / "logs"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's files (elsewhere where its user could not reach them)."""
        return self.root / "cluster"

    @property
    def bucket(self) -> Path:
        """The S3 server's files."""
        return self.root / "s3"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.root / "dagster"

    def prepare(self) -> None:
        """Make the directories, for us alone.

        Raises:
            EmbeddedError: they cannot be made.
        """
        with writing_to(self.root):
            for directory in (self.root, self.run, self.logs):
                directory.mkdir(mode=_OURS_ONLY, parents=True, exist_ok=True)
            if self.root.stat().st_mode & _OTHERS:
                self.root.chmod(_OURS_ONLY)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else reads and changes the two files meanwhile."""
        with FileLock(self.run / "state.lock") as lock:
            lock.lock(exclusive=True, what="choosing ports")
            yield

    def secrets(self) -> Secrets:
        """The passwords, made when first asked for.

        Raises:
            EmbeddedError: the file cannot be read or written.
        """
        path = self.root / "secrets.json"
        with self.locked(), writing_to(self.root):
            try:
                if not path.exists():
                    _write(path, asdict(Secrets()))
                if path.stat().st_mode & _OTHERS:
                    path.chmod(0o600)  # an archive or a careless copy had widened it
                found = json.loads(path.read_text(encoding="utf-8"))
                return Secrets(**{entry.name: found[entry.name] for entry in fields(Secrets)})
            except (ValueError, KeyError, TypeError) as error:
                raise EmbeddedError(
                    f"{path} is damaged",
                    hint=f"Restore it, or remove {self.root} to start with empty servers.",
                ) from error

    def ports(
        self, names: Iterable[str], *, say: Callable[[str], None], pairs: bool = False
    ) -> dict[str, int]:
        """Free ports for a server that is about to start: the remembered ones where possible.

        Args:
            names: what the ports are for.
            say: is told about every remembered port that somebody else has taken.
            pairs: whether each one's port + 10000 must be free too.

        Raises:
            EmbeddedError: there is no free port, or the file cannot be written.
        """
        with self.locked():
            before = self._known_ports()
            known = dict(before)
            result: dict[str, int] = {}
            for name in names:
                port = known.get(name)
                if port is None or not _free(port, pairs=pairs):
                    fresh = ports.choose(1, pairs=pairs, avoid=frozenset(_spoken_for(known)))[0]
                    if port is not None:
                        say(f"port {port} ({name}) is taken by another program; using {fresh}")
                    port = fresh
                result[name] = known[name] = port
            if known != before:
                with writing_to(self.root):
                    _write(self.root / "ports.json", known)
        return result

    def remembered_ports(self) -> dict[str, int]:
        """The ports of servers that run already."""
        with self.locked():
            return self._known_ports()

    def _known_ports(self) -> dict[str, int]:
        try:
            found = json.loads((self.root / "ports.json").read_text(encoding="utf-8"))
            return {str(name): int(port) for name, port in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}  # they are only a convenience: choose afresh


def _spoken_for(known: dict[str, int]) -> Iterator[int]:
    for port in known.values():
        yield port
        yield port + ports.GRPC_OFFSET


def _free(port: int, *, pairs: bool) -> bool:
    return ports.is_free(port) and (not pairs or ports.is_free(port + ports.GRPC_OFFSET))


def _write(path: Path, value: object) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(value, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
