"""A process that uploads its standard input; the tests start it and do things to it.

Arguments: the key. Settings come from the environment as JSON in ``UPLOADER``. It prints one line
of JSON at its end: how it ended, and the most memory it ever used.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path

from bounty_ops.environments import BucketLocation, ObjectStoreSettings
from bounty_ops.object_store import ObjectStore


def peak_memory_bytes() -> int:
    """The peak of this process alone; ru_maxrss would begin with that of its parent."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    assert match is not None
    return int(match[1]) * 1024


def main(key: str) -> None:
    given = json.loads(os.environ["UPLOADER"])
    location = BucketLocation(*given.pop("location"))
    store = ObjectStore(ObjectStoreSettings(location, **given))
    # A test run in the background would have handed down that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    result: dict[str, object] = {}
    try:
        stored = store.upload_stream(key, sys.stdin.buffer, before_complete=lambda: None)
        result = {"size_bytes": stored.size_bytes, "sha256": stored.sha256}
    except KeyboardInterrupt:
        result = {"interrupted": True}
    result["peak_memory_bytes"] = peak_memory_bytes()
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    os._exit(0)  # the reader may still wait for a pipe that nobody closes


if __name__ == "__main__":
    main(sys.argv[1])
