"""The cases: migration files with what is expected of them, read from ``corpus/*.txt``.

A case begins with ``## id | verdict | decides``, followed by ``why:``, perhaps ``majors:``,
``reason:`` and any number of ``earlier:`` files, and ends with the file itself. ``file tx:`` puts
the text into a transaction with timeouts, as a good runner would, ``file auto:`` sets the timeouts
for the session, and ``file raw:`` is the text as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).parent
MAJORS: Final = (14, 15, 16, 17, 18)

Verdict = Literal["hazard", "safe", "context"]
Decides = Literal["text", "history", "catalogue", "data", "execution"]
Mode = Literal["tx", "auto", "raw"]

_HEADER: Final = re.compile(r"^## (?P<id>[a-z0-9-]+) \| (?P<verdict>\w+) \| (?P<decides>\w+)$")
_TX: Final = "BEGIN;\nSET LOCAL lock_timeout = '2s';\nSET LOCAL statement_timeout = '30s';\n"
_AUTO: Final = "SET lock_timeout = '2s';\nSET statement_timeout = '15min';\n"


@dataclass(frozen=True)
class Case:
    """One migration file."""

    id: str
    verdict: Verdict
    #: What one has to know to tell: the file, earlier files, the catalogue, the rows, or only what
    #: happens when it runs.
    decides: Decides
    why: str
    sql: str
    earlier: tuple[str, ...] = ()
    majors: tuple[int, ...] = MAJORS
    #: Why it is judged so although the measurement does not say it.
    reason: str = ""

    @property
    def scored(self) -> bool:
        """Whether a linter could and should know; the rest is measured, and not scored."""
        return self.verdict != "context" and self.decides not in {"data", "execution"}


def read_cases(directory: Path = HERE / "corpus") -> tuple[Case, ...]:
    """Every case of the corpus, in the order of the files."""
    cases = [
        _case(block)
        for path in sorted(directory.glob("*.txt"))
        for block in re.split(r"(?m)^(?=## )", path.read_text(encoding="utf-8"))
        if block.strip()
    ]
    ids = [case.id for case in cases]
    if len(set(ids)) != len(ids):
        raise ValueError(f"used twice: {sorted({name for name in ids if ids.count(name) > 1})}")
    return tuple(cases)


def _case(block: str) -> Case:
    lines = block.strip("\n").split("\n")
    header = _HEADER.match(lines[0])
    if header is None:
        raise ValueError(f"not the head of a case: {lines[0]}")
    fields: dict[str, str] = {}
    texts: list[tuple[str, list[str]]] = []
    for line in lines[1:]:
        section = re.match(r"^(earlier|file (?:tx|auto|raw)):$", line)
        if section and not (texts and texts[-1][0] != "earlier"):
            texts.append((section[1], []))
        elif texts:
            texts[-1][1].append(line)
        else:
            name, _, value = line.partition(": ")
            fields[name] = value
    *earlier, (mode, text) = texts
    verdict, decides = header["verdict"], header["decides"]
    if verdict not in get_args(Verdict) or decides not in get_args(Decides):
        raise ValueError(f"unknown word in {lines[0]}")
    return Case(
        id=header["id"],
        verdict=verdict,  # type: ignore[arg-type] # was looked at above
        decides=decides,  # type: ignore[arg-type] # was looked at above
        why=fields.pop("why"),
        sql=_file(mode, "\n".join(text).rstrip("\n") + "\n"),
        earlier=tuple("\n".join(lines) + "\n" for _, lines in earlier),
        majors=_majors(fields.pop("majors", "14-")),
        reason=fields.pop("reason", "") or _nothing_left(fields),
    )


def _nothing_left(fields: dict[str, str]) -> str:
    if fields.keys() - {"reason"}:
        raise ValueError(f"unknown fields {sorted(fields)}")
    return ""


def _file(mode: str, text: str) -> str:
    if mode == "file tx":
        return f"{_TX}{text}COMMIT;\n"
    return f"{_AUTO}{text}" if mode == "file auto" else text


def _majors(text: str) -> tuple[int, ...]:
    first, _, last = text.partition("-")
    return tuple(major for major in MAJORS if int(first) <= major <= int(last or MAJORS[-1]))


def chosen(cases: Sequence[Case], major: int) -> tuple[Case, ...]:
    """The cases that claim a major."""
    return tuple(case for case in cases if major in case.majors)
