"""``python -m bounty_ops`` is ``bounty-ops``."""

from __future__ import annotations

import sys

from bounty_ops.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
