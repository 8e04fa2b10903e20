"""Wheels of what is installed here, for environments that cannot download any.

pip takes them as it takes those of an index, so what it installs from our own wheel's requirements
is what it would install elsewhere.
"""

from __future__ import annotations

import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator


def fill(house: Path, project: str) -> None:
    """Put a wheel there of all that a project requires, and of what that requires."""
    for each in _required_by(project).values():
        _pack(each, house)


def _required_by(project: str) -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [*_required(distribution(project), frozenset())]
    while waiting:
        wanted = waiting.pop()
        name, extras = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found[name] = distribution(name)
        waiting += _required(found[name], extras)
    return found


def _required(wanted: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for text in wanted.requires or []:
        each = Requirement(text)
        if each.marker is None or any(
            each.marker.evaluate({"extra": extra}) for extra in extras | {""}
        ):
            yield each


def _pack(wanted: Distribution, house: Path) -> None:
    """A wheel of it: what its RECORD lists, but for what pip makes anew."""
    name = f"{wanted.metadata['Name'].replace('-', '_')}-{wanted.version}"
    scripts = {point.name for point in wanted.entry_points if point.group == "console_scripts"}
    # The tag only says that it may be installed here: it was.
    with zipfile.ZipFile(house / f"{name}-py3-none-any.whl", "w") as wheel:
        for file in wanted.files or []:
            source = Path(str(wanted.locate_file(file)))
            if file.parts[0] == "..":
                if source.parent.name != "bin" or source.name in scripts:
                    continue
                wheel.write(source, f"{name}.data/scripts/{source.name}")
            elif file.suffix != ".pyc" and file.name not in {"INSTALLER", "REQUESTED"}:
                wheel.write(source, str(file))
