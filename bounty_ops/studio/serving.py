"""The studio's web server: one loopback address, until Ctrl-C."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Final

import uvicorn

from bounty_ops.errors import UsageError

if TYPE_CHECKING:
    from starlette.applications import Starlette

LOOPBACK: Final = "127.0.0.1"
#: After Ctrl-C, pages that are being made have so many seconds.
_GRACE_SECONDS: Final = 2


def listening(port: int) -> socket.socket:
    """A socket that listens on loopback; port 0 is any free one.

    Raises:
        UsageError: the port is taken, or may not be used.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((LOOPBACK, port))
        made.listen()
    except OSError as error:
        made.close()
        raise UsageError(
            f"nothing can listen at {LOOPBACK}:{port}: {error.strerror or error}",
            hint="Choose another --port, or 0 for any free one; another studio may have it.",
        ) from None
    return made


def origin_of(listener: socket.socket) -> str:
    """``http://127.0.0.1:PORT``."""
    return f"http://{LOOPBACK}:{listener.getsockname()[1]}"


def server_of(application: Starlette) -> uvicorn.Server:
    """A server for `application`; run it with ``run(sockets=[...])``."""
    # It logs whole tracebacks of refused edits, with the values that were refused.
    logging.getLogger("sqladmin").disabled = True
    for name in ("sqladmin.application", "sqladmin.models"):
        logging.getLogger(name).disabled = True
    return uvicorn.Server(
        uvicorn.Config(
            application,
            access_log=False,  # addresses hold keys of rows
            log_config=None,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
