"""Importing is cheap: the command line starts without boto3."""

from __future__ import annotations

import os
import subprocess
import sys


def test_boto3_is_not_loaded_before_the_first_call_to_a_store() -> None:
    program = (
        "import sys, bounty_ops.journal;"
        "import bounty_ops.object_store as o, bounty_ops.environments as e;"
        "o.ObjectStore(e.ObjectStoreSettings(e.BucketLocation('b')));"
        "print([name for name in ('boto3', 'botocore', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"
