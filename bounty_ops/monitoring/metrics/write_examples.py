"""Write ``examples/prometheus`` and ``examples/grafana`` anew from the registry.

``python -m bounty_ops.monitoring.metrics.write_examples DIRECTORY``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from bounty_ops.monitoring.metrics.dashboard import dashboard
from bounty_ops.monitoring.metrics.rules import rules_file

_HEAD: Final = "# Made by `python -m bounty_ops.monitoring.metrics.write_examples examples`.\n"
_WIDE: Final = 1000


def examples() -> dict[str, str]:
    """Each file's text by its path below ``examples``."""
    rules = yaml.safe_dump(rules_file(), sort_keys=False, width=_WIDE, allow_unicode=True)
    return {
        "prometheus/rules.yml": _HEAD + rules,
        "grafana/bounty-ops.json": json.dumps(dashboard(), indent=2) + "\n",
    }


def main(arguments: list[str]) -> None:
    """Write them."""
    (directory,) = arguments
    for name, text in examples().items():
        path = Path(directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
