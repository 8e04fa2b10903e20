"""Tests of bounty_ops: unit tests of the pure parts, and journeys on real servers."""

import os

from bounty_ops.embedded import ports


def _choose_from_ports_of_our_own() -> None:
    """Give each of the processes that test side by side its part of the ports.

    A server that was given a port listens there only a second later or more. Meanwhile nobody
    else may be given the same.
    """
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % count
    size = (ports._HIGHEST - ports._LOWEST + 1) // count
    ports._LOWEST += number * size
    ports._HIGHEST = ports._LOWEST + size - 1


_choose_from_ports_of_our_own()
