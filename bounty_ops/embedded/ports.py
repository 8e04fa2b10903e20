"""Free loopback ports."""

from __future__ import annotations

import secrets
import socket
from typing import Final

from bounty_ops.errors import EmbeddedError

LOOPBACK: Final = "127.0.0.1"
#: SeaweedFS serves gRPC at its HTTP port + 10000.
GRPC_OFFSET: Final = 10_000
#: Below what Linux gives to outgoing connections (32768 and up), the offset included: a
#: remembered port would otherwise be taken by some connection every now and then.
_LOWEST, _HIGHEST = 10_240, 22_767
_ATTEMPTS: Final = 500


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        # As servers do: connections of a predecessor in TIME_WAIT are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(count: int, *, pairs: bool = False, avoid: frozenset[int] = frozenset()) -> list[int]:
    """Some free ports.

    Args:
        count: how many.
        pairs: whether each one's port + 10000 must be free too.
        avoid: ports that are spoken for.

    Raises:
        EmbeddedError: there are none.
    """
    chosen: list[int] = []
    for _ in range(_ATTEMPTS):
        if len(chosen) == count:
            return chosen
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST + 1)
        wanted = (port, port + GRPC_OFFSET) if pairs else (port,)
        if port not in chosen and avoid.isdisjoint(wanted) and all(map(is_free, wanted)):
            chosen.append(port)
    raise EmbeddedError(
        "there is no free port on 127.0.0.1", hint="End some of the servers that run here."
    )
