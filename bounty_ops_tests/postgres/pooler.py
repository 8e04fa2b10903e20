"""A small transaction pooler that speaks PostgreSQL's protocol, as PgBouncer does.

A client's session is lent a server connection for one transaction at a time; the one that was
given back last is lent first. It announces a process id of its own making to its clients.
"""

from __future__ import annotations

import asyncio
import dataclasses
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl

_SSL, _GSS = 80877103, 80877104
_OWN_PID = 99_999_999

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


class _Pooler:
    def __init__(self, server: DatabaseUrl, *, keep: bool) -> None:
        self.server = server
        self.keep = keep
        self.idle: list[Streams] = []
        self.opened: list[asyncio.StreamWriter] = []

    async def borrow(self) -> Streams:
        if self.idle:
            return self.idle.pop()
        path = f"{self.server.host}/.s.PGSQL.{self.server.port}"
        reader, writer = await asyncio.open_unix_connection(path)
        self.opened.append(writer)
        names = f"user\0{self.server.user}\0database\0{self.server.database}\0\0".encode()
        writer.write(struct.pack("!ii", len(names) + 8, 196608) + names)
        while (await _message(reader))[:1] != b"Z":
            pass
        return reader, writer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened.append(writer)
        borrowed: Streams | None = None
        try:
            await self._greet(reader, writer)
            while (message := await _message(reader))[:1] != b"X":
                borrowed = borrowed or await self.borrow()
                borrowed[1].write(message)
                if message[:1] not in b"QS":  # the extended protocol answers at Sync
                    continue
                while True:
                    answer = await _message(borrowed[0])
                    writer.write(answer)
                    if answer[:1] == b"Z":
                        break
                if answer[5:6] == b"I" and not self.keep:
                    self.idle.append(borrowed)
                    borrowed = None
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            return
        finally:
            if borrowed is not None:
                self.idle.append(borrowed)
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            length, code = struct.unpack("!ii", await reader.readexactly(8))
            await reader.readexactly(length - 8)
            if code not in {_SSL, _GSS}:
                break
            writer.write(b"N")
        writer.write(b"R" + struct.pack("!ii", 8, 0))
        for name, value in (("client_encoding", "UTF8"), ("server_version", "17.0")):
            body = f"{name}\0{value}\0".encode()
            writer.write(b"S" + struct.pack("!i", len(body) + 4) + body)
        writer.write(b"K" + struct.pack("!iii", 12, _OWN_PID, 1))
        writer.write(b"Z" + struct.pack("!i", 5) + b"I")


@contextmanager
def transaction_pooler(
    server: DatabaseUrl, *, keep_until_the_session_ends: bool = False
) -> Iterator[DatabaseUrl]:
    """A pooler before a server that listens on a Unix socket and asks for no password."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    pooler = _Pooler(server, keep=keep_until_the_session_ends)

    async def start() -> asyncio.Server:
        return await asyncio.start_server(pooler.serve, "127.0.0.1", 0)

    async def stop(listening: asyncio.Server) -> None:
        listening.close()
        for writer in pooler.opened:
            writer.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    listening = asyncio.run_coroutine_threadsafe(start(), loop).result()
    port = listening.sockets[0].getsockname()[1]
    try:
        yield dataclasses.replace(server, host="127.0.0.1", port=port)
    finally:
        asyncio.run_coroutine_threadsafe(stop(listening), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
