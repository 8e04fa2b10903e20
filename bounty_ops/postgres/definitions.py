"""One form for definitions that PostgreSQL itself writes in two.

`CHECK (status IN ('a', 'b'))` on a varchar column is written back as
``(ARRAY['a'::character varying, ...])::text[]``; dumped, restored and written back again, the cast
stands at each element: ``ARRAY[('a'::character varying)::text, ...]``. The parser hands a cast of
an array constructor down to its elements. It is the same expression, and one of the commonest
constraints there is, so both forms are brought to the second one before they are compared.
"""

from __future__ import annotations

import re
from typing import Final

_START: Final = "(ARRAY["
#: What follows the closing bracket: the array's type, qualified or not.
_CAST: Final = re.compile(r"\]\)::((?:\"(?:[^\"]|\"\")+\"|[\w$.])(?:[^\[\](){},:;'=<>]*?))\[\]")
_START_OR_QUOTE: Final = re.compile(r"\(ARRAY\[|['\"]")
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")


def normalised(definition: str) -> str:
    """The definition with casts of array constructors moved to their elements."""
    result = definition
    position = 0
    while (start := _find_outside_quotes(result, position)) >= 0:
        elements, end = _elements(result, start + len(_START))
        cast = _CAST.match(result, end) if end >= 0 else None
        if cast is None:
            position = start + 1
            continue
        moved = ", ".join(f"({element})::{cast[1]}" for element in elements)
        result = f"{result[:start]}ARRAY[{moved}]{result[cast.end() :]}"
        position = start + len("ARRAY[")
    return result


def _find_outside_quotes(text: str, start: int) -> int:
    """Where the next array constructor in parentheses begins; `start` is outside quotes."""
    while (found := _START_OR_QUOTE.search(text, start)) is not None:
        if found[0] == _START:
            return found.start()
        start = _after(text, found.start())
    return -1


def _elements(text: str, start: int) -> tuple[list[str], int]:
    """The elements of a constructor, and where its closing bracket is (-1: nowhere)."""
    elements: list[str] = []
    depth, begun, position = 0, start, start
    while position < len(text):
        character = text[position]
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            if depth == 0:
                last = text[begun:position].strip()
                return ([*elements, last] if last or elements else []), position
            depth -= 1
        elif character == "," and depth == 0:
            elements.append(text[begun:position].strip())
            begun = position + 1
        position = _after(text, position)
    return [], -1


def _after(text: str, position: int) -> int:
    """The position after one character, or after the whole literal or quoted name there."""
    quote = text[position]
    if quote not in "'\"":
        return position + 1
    backslashes = quote == "'" and position > 0 and text[position - 1] == "E"
    position += 1
    while position < len(text):
        if backslashes and text[position] == "\\":
            position += 2
        elif text[position] != quote:
            position += 1
        elif text.startswith(quote * 2, position):
            position += 2
        else:
            return position + 1
    return len(text)
