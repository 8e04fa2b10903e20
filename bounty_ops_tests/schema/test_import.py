"""Importing the schema package does nothing but define tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import bounty_ops

#: Of what Python's own machinery does while it imports, only reading files is left out.
_WATCH = """
import json, os, sys
import sqlalchemy.orm, sqlalchemy.dialects.postgresql  # what these do is not ours
import logging, signal, threading, warnings

told, reads = [], []
CHANGES = ("os.", "shutil.", "socket.", "subprocess.", "tempfile.", "sqlite3.", "ctypes.")
HARMLESS = {"os.listdir", "os.scandir"}  # the finder of modules looks into directories

def watch(event, arguments):
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or any(c in (mode or "") for c in "wax+"):
            told.append([event, str(arguments[0])])
    elif event.startswith(CHANGES) and event not in HARMLESS:
        told.append([event, repr(arguments)])

def spied(name):
    real = getattr(os._Environ, name)
    def spy(self, *arguments):
        reads.append([name, *map(str, arguments)])
        return real(self, *arguments)
    return spy

def state():
    return (
        threading.active_count(), logging.getLogger().handlers[:], list(warnings.filters),
        {number: signal.getsignal(number) for number in signal.valid_signals()}, sys.path[:],
    )

before = state()
sys.addaudithook(watch)
for name in ("__getitem__", "__contains__", "__iter__"):
    setattr(os._Environ, name, spied(name))
import bounty_ops.schema.bounty, bounty_ops.schema.ops
found = {
    "told": told[:], "reads": reads[:], "same": before == state(),
    "dagster": sorted(name for name in sys.modules if name.startswith("dagster")),
    "tables": len(bounty_ops.schema.bounty.Base.metadata.tables),
}
os.environ.get("HOME"); open(os.devnull, "w").close()
found["awake"] = [len(told) - len(found["told"]), len(reads) - len(found["reads"])]
print(json.dumps(found))
"""


def test_no_dagster_no_network_no_variable_no_file() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", _WATCH],
        env={"PATH": os.defpath, "PYTHONPATH": str(Path(bounty_ops.__file__).parents[1])},
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert found.pop("awake") == [1, 1], "the watch sees a variable read and a file written"
    assert found == {"told": [], "reads": [], "same": True, "dagster": [], "tables": 37}
