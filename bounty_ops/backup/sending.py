"""Dumping the objects of a backup into the bucket, several at a time, in one snapshot.

All or nothing: the first one that fails ends the others, and what is stored already is deleted.
With a single object there is nothing to delete, because it becomes visible last of all.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from bounty_ops.backup.dump import CountedStream, dump_url
from bounty_ops.backup.encryption import EncryptedStream
from bounty_ops.errors import ObjectStoreError, ProgramFailed
from bounty_ops.journal.records import ObjectRecord
from bounty_ops.postgres.run import start_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bounty_ops.backup.objects import DumpObject
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.object_store import ObjectStore
    from bounty_ops.postgres.programs import Programs
    from bounty_ops.postgres.run import RunningProgram

#: All uploads of a backup share what one alone may hold in memory.
MEMORY_BYTES: Final = 96 << 20


class Stopped(Exception):  # noqa: N818 - somebody else failed, or asked for it
    """This object was given up."""


class NothingCame(Exception):  # noqa: N818 - it is for the caller to judge
    """pg_dump failed before its first byte: it did not get its locks, or was refused."""


class Sending:
    """The dumps and uploads of one attempt."""

    def __init__(
        self,
        store: ObjectStore,
        programs: Programs,
        url: DatabaseUrl,
        *,
        arguments: Sequence[str],
        recipients: Sequence[str],
        progress: Callable[[int], None],
        jobs: int,
    ) -> None:
        self._store = store
        self._programs = programs
        self._url = dump_url(url)
        self._arguments = arguments
        self._recipients = recipients
        self._progress = progress
        self._jobs = jobs
        self._lock = threading.Lock()
        self._running: set[RunningProgram] = set()
        self._counts: dict[str, int] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Give everything up, from whatever thread."""
        self._stopped.set()
        with self._lock:
            running = tuple(self._running)
        for program in running:
            program.kill()

    def send_all(
        self, objects: Sequence[DumpObject], *, before_complete: Callable[[], None]
    ) -> tuple[ObjectRecord, ...]:
        """Dump and store all objects; `before_complete` is asked before the first is visible.

        Raises:
            Stopped: `stop` was called.
            NothingCame: pg_dump did not begin; its own failure is the cause.
            ProgramFailed: pg_dump failed later.
            ObjectStoreError: the bucket said no.
        """
        archive, *shards = objects
        if not shards:
            return (self._send(archive, before_complete, MEMORY_BYTES),)
        memory = MEMORY_BYTES // min(self._jobs, len(objects))
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="bounty-ops-object") as pool:
            # The largest first; the archive, whose end needs all fingerprints, among the first.
            first = pool.submit(self._send_or_stop, archive, before_complete, memory)
            rest = (pool.submit(self._send_or_stop, one, _agreed, memory) for one in shards)
            futures = [first, *rest]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
                if any(future.done() and future.exception() for future in futures):
                    # It has stopped the others. Without waiting, one of those that were stopped
                    # might be heard before the one that knows why.
                    wait(futures)
                    self._raise_first(futures)
            except BaseException:
                self._give_up(futures)
                raise
        return tuple(future.result() for future in futures)

    def _raise_first(self, futures: Sequence[Future[ObjectRecord]]) -> None:
        found = [failure for future in futures if (failure := future.exception()) is not None]
        for failure in sorted(found, key=lambda each: isinstance(each, Stopped)):
            raise failure

    def _give_up(self, futures: Sequence[Future[ObjectRecord]]) -> None:
        self.stop()
        for future in futures:
            future.cancel()
        wait(futures)
        for future in futures:
            if not future.cancelled() and future.exception() is None:
                # What cannot be deleted now is swept by the next backup.
                with contextlib.suppress(ObjectStoreError):
                    self._store.delete_versions(future.result().key)

    def _send_or_stop(
        self, one: DumpObject, before_complete: Callable[[], None], memory: int
    ) -> ObjectRecord:
        try:
            return self._send(one, before_complete, memory)
        except BaseException:
            # Here, not where somebody waits: this thread takes the next object at once, and would
            # dump and store it for nothing before anybody else hears of the failure.
            self.stop()
            raise

    def _send(
        self, one: DumpObject, before_complete: Callable[[], None], memory: int
    ) -> ObjectRecord:
        self.check()
        arguments = [*self._arguments, *one.arguments]
        with (
            start_program(self._programs, "pg_dump", arguments, url=self._url) as program,
            self._known(program),
            contextlib.ExitStack() as stack,
        ):
            dumped = CountedStream(program.stdout, check=self.check, progress=_ignore)
            source: CountedStream | EncryptedStream = dumped
            if self._recipients:
                source = stack.enter_context(EncryptedStream(dumped, self._recipients))
            stored = CountedStream(source, check=self.check, progress=self._counting(one.key))

            def ended_well() -> None:
                try:
                    program.wait()
                except ProgramFailed as failure:
                    self.check()  # who stopped it has said why
                    if not dumped.count:
                        raise NothingCame from failure
                    raise
                before_complete()

            found = self._store.upload_stream(
                one.key,
                cast("BinaryIO", stored),
                before_complete=ended_well,
                memory_bytes=memory,
            )
        return ObjectRecord(
            role="archive" if one.table is None else "shard",
            key=found.key,
            size_bytes=found.size_bytes,
            sha256=found.sha256,
            table=one.table,
        )

    @contextlib.contextmanager
    def _known(self, program: RunningProgram) -> Iterator[None]:
        with self._lock:
            self._running.add(program)
        try:
            self.check()  # it may have been stopped in between
            yield
        finally:
            with self._lock:
                self._running.discard(program)

    def check(self) -> None:
        """Raise Stopped once everything was given up."""
        if self._stopped.is_set():
            raise Stopped

    def _counting(self, key: str) -> Callable[[int], None]:
        def count(done: int) -> None:
            with self._lock:
                self._counts[key] = done
                total = sum(self._counts.values())
            self._progress(total)

        return count


def _agreed() -> None:
    """A shard waits for nobody; without a manifest nobody sees it."""


def _ignore(_done: int) -> None:
    """Nobody looks."""
