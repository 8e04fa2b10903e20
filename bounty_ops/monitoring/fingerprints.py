"""By what a statement is known again: the same for every value of its literals.

PostgreSQL's own ``queryid`` changes with a restore and with every major version, and there is none
where statistics of statements are not kept. This one is computed from the text *without literals*.
The parser's fingerprint of the text as it was typed would not do: it takes in what stands in
``CREATE ROLE ... PASSWORD '...'``, and a short secret can be found out from its hash.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from pglast.parser import ParseError, fingerprint

from bounty_ops.monitoring.literals import CUT, without_literals

#: Hexadecimal digits of a fingerprint; the parser's have as many.
_DIGITS: Final = 16
#: What is not the grammar's own fingerprint says so by its first character.
_BY_TEXT: Final = "~"
#: Longer ones are not parsed; a statement of an ORM can be megabytes.
_MOST_PARSED: Final = 50_000
_PARAMETERS: Final = re.compile(r"\$\d+(?: ?, ?\$\d+)*")
_QUOTED: Final = re.compile(r'("(?:[^"]|"")*")')
_AROUND: Final = re.compile(r" ?([(),;=]) ?")


def fingerprint_of(text: str) -> str:
    """What statements have in common that differ in literals, spaces, comments and lists' length.

    A text that the grammar does not know (one that was cut off, for instance) has a fingerprint
    too, which differs from that of the whole statement.
    """
    bare = without_literals(text, "$1")
    if len(bare) <= _MOST_PARSED and not bare.endswith(CUT):
        try:
            return str(fingerprint(bare))
        except ParseError:
            pass
    digest = hashlib.sha256(_plain(bare).encode("utf-8", errors="replace")).hexdigest()
    return _BY_TEXT + digest[: _DIGITS - 1]


def _plain(text: str) -> str:
    """One spelling for all, quoted names excepted."""
    parts = _QUOTED.split(_PARAMETERS.sub("$1", text))
    return "".join(
        part if part.startswith('"') else _AROUND.sub(r"\1", part.lower()) for part in parts
    )
