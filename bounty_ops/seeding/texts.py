"""Pools of names, sentences and longer texts, made once for a seed and then only drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.seeding import words
from bounty_ops.seeding.draws import Draws
from bounty_ops.seeding.names import full_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SENTENCES: Final = 1200
_PARAGRAPHS: Final = 300
_LONG_TEXTS: Final = 24


class Texts:
    """What people call themselves and what they write."""

    def __init__(self, seed: int) -> None:
        draws = Draws(seed, "texts")
        self.names = full_names()
        self.sentences = [_sentence(draws) for _ in range(_SENTENCES)] + list(words.SENTENCES) * 4
        self.paragraphs = [self._paragraph(draws) for _ in range(_PARAGRAPHS)]
        # 12 to 45 KB: past the size at which PostgreSQL moves a value out of its row.
        self.long_texts = [
            "\n\n".join(draws.pick(self.paragraphs) for _ in range(40 + 5 * number))
            for number in range(_LONG_TEXTS)
        ]
        self.titles = [
            f"{verb} {thing} {place}"
            for verb in words.TITLE_VERBS
            for thing in words.TITLE_THINGS
            for place in words.TITLE_PLACES
        ]
        self.tag_arrays = [_array(draws, words.TAGS, most=5) for _ in range(200)]

    def _paragraph(self, draws: Draws) -> str:
        return " ".join(draws.pick(self.sentences) for _ in range(draws.between(2, 6)))

    def sentence(self, draws: Draws) -> str:
        """Draw one line, or a few."""
        return draws.pick(self.sentences)

    def remark(self, draws: Draws) -> str:
        """Draw a comment: mostly a sentence, at times a paragraph."""
        return draws.pick(self.paragraphs if draws.unit() < 0.2 else self.sentences)  # noqa: PLR2004 - a share

    def description(self, draws: Draws) -> str:
        """Draw a description: a paragraph or two, and one in two hundred is very long."""
        unit = draws.unit()
        if unit < 0.005:  # noqa: PLR2004 - a share
            return draws.pick(self.long_texts)
        if unit < 0.3:  # noqa: PLR2004 - a share
            return f"{draws.pick(self.paragraphs)}\n\n{draws.pick(self.paragraphs)}"
        return draws.pick(self.paragraphs)


def _sentence(draws: Draws) -> str:
    said = (
        f"{draws.pick(words.OPENINGS)} {draws.pick(words.TROUBLES)} {draws.pick(words.CONDITIONS)}."
    )
    return f"{said} {draws.pick(words.REQUESTS)}" if draws.chance(0.4) else said


def _array(draws: Draws, pool: Sequence[str], *, most: int) -> str:
    """A text[] literal of distinct members, empty at times."""
    start, count = draws.below(len(pool)), draws.between(0, most)
    return array_literal(pool[(start + number) % len(pool)] for number in range(count))


def array_literal(members: Iterable[str]) -> str:
    """Write a one-dimensional text[] as PostgreSQL reads it."""
    quoted = (member.replace("\\", "\\\\").replace('"', '\\"') for member in members)
    return "{" + ",".join(f'"{member}"' for member in quoted) + "}"
