"""What a sequence counts like, in words of SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

_LARGEST: Final = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


@dataclass(frozen=True)
class Sequence:
    """The parameters of a sequence, also of one behind an identity column."""

    type: str
    start: int
    increment: int
    min: int
    max: int
    cache: int
    cycle: bool

    @classmethod
    def parsed(cls, text: str) -> Sequence:
        """From the JSON object that the catalog's statements make."""
        return cls(**json.loads(text))

    def all_options(self) -> tuple[str, ...]:
        """Every parameter, as CREATE and ALTER SEQUENCE take them, but for the type."""
        return (
            f"INCREMENT BY {self.increment}",
            f"MINVALUE {self.min}",
            f"MAXVALUE {self.max}",
            f"START WITH {self.start}",
            f"CACHE {self.cache}",
            "CYCLE" if self.cycle else "NO CYCLE",
        )

    def unusual_options(self) -> str:
        """The parameters that CREATE SEQUENCE would choose otherwise; mostly none."""
        up = self.increment > 0
        largest = _LARGEST[self.type]
        lowest, highest = (1, largest) if up else (-largest - 1, -1)
        said = (
            (f"INCREMENT BY {self.increment}", self.increment != 1),
            (f"MINVALUE {self.min}", self.min != lowest),
            (f"MAXVALUE {self.max}", self.max != highest),
            (f"START WITH {self.start}", self.start != (self.min if up else self.max)),
            (f"CACHE {self.cache}", self.cache != 1),
            ("CYCLE", self.cycle),
        )
        return " ".join(words for words, unusual in said if unusual)
