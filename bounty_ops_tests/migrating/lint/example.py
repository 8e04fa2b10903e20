"""One text, and the hazards that the linter has to see in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

_MAJOR = 17


@dataclass(frozen=True)
class Example:
    """A file that sets its lock_timeout, so that only what it does is at issue."""

    sql: str
    rules: tuple[str, ...]
    major: int = _MAJOR
    schema: bool = False
    """Whether it is about the schema that the examples come with."""

    def text(self) -> str:
        return f"SET lock_timeout = '2s';\n{self.sql};\n"

    def __str__(self) -> str:
        return f"{self.sql} [{self.major}{', schema' if self.schema else ''}]"


def hazard(sql: str, *rules: str, major: int = _MAJOR) -> Example:
    return Example(sql, tuple(sorted(rules)), major)


def safe(sql: str, *, major: int = _MAJOR) -> Example:
    return Example(sql, (), major)


def with_schema(example: Example) -> Example:
    return replace(example, schema=True)
