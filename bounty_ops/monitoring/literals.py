"""Taking every literal out of a statement before its text is kept anywhere.

A literal is somebody's data: an address, a token, a password in ``CREATE ROLE``. PostgreSQL
shows statements as they were typed in ``pg_stat_activity``, and even ``pg_stat_statements``
gives literals away when an entry is made anew for a prepared statement after a reset. So nothing
that monitoring reads is stored, logged or shown before it went through `strip_literals`.

The reader below follows PostgreSQL's own lexer (src/backend/parser/scan.l). That says where a
literal ends, and not where it was meant to: of ``'O'Neill'`` the name is left, and of a comment
with ``*/`` in it the rest. So a text is kept whole only if PostgreSQL's own grammar takes it for a
statement without what is in its literals. Of any other text nothing is kept after its first literal
or comment: one that was cut off, that PostgreSQL refuses, with a comment within a comment, or with
a backslash before a quote, whose meaning depends on ``standard_conforming_strings``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pglast import keywords
from pglast.parser import ParseError, split

if TYPE_CHECKING:
    from collections.abc import Callable

#: What stands where a literal was.
PLACEHOLDER: Final = "?"
#: What stands where the rest of the text was dropped.
CUT: Final = "..."
#: Longest text that is kept; statements of an ORM can be megabytes.
MAX_LENGTH: Final = 4_000
#: Longest text that is asked of a server: reading a megabyte here takes seconds.
MOST_READ: Final = 10_000

# Letters and digits as PostgreSQL's lexer has them: every character beyond ASCII is a letter.
_LETTER: Final = r"[A-Za-z_\u0080-\U0010ffff]"
_LETTER_OR_DIGIT: Final = r"[A-Za-z0-9_\u0080-\U0010ffff]"

#: PostgreSQL's own; to it a no-break space is a letter, and `\s` would take that from a name.
_SPACE: Final = re.compile(r"[ \t\n\r\f\v]+")
#: `\w$` would do in spirit, but where a word ends decides whether the `e` before a quote belongs
#: to it (`date'...'`) or makes the literal one with backslash escapes (`e'...'`).
_WORD: Final = re.compile(rf"{_LETTER}(?:{_LETTER_OR_DIGIT}|\$)*")
_PARAMETER: Final = re.compile(rf"\$[0-9]{{1,5}}(?!{_LETTER_OR_DIGIT})")
_DOLLAR_TAG: Final = re.compile(rf"\$(?:{_LETTER}{_LETTER_OR_DIGIT}*)?\$")
#: A number, with whatever is glued to it: `1.5e-7`, `0xFF`, `1_000`, and junk such as `123abc`.
#: A dollar sign is not glued: `1$$...` is a number and a dollar-quoted literal.
_NUMBER: Final = re.compile(rf"(?:[0-9]|\.[0-9])(?:[eE][+-][0-9]|{_LETTER_OR_DIGIT}|\.)*")
_QUOTE_OPENING: Final = re.compile(r"(?:[bBxXnN]|[uU]&)?'")
_ESCAPE_QUOTE_OPENING: Final = re.compile(r"[eE]'")
_QUOTED_NAME_OPENING: Final = re.compile(r"(?:[uU]&)?\"")
_PLAIN_BODY: Final = re.compile(r"(?:[^']|'')*")
_ESCAPE_BODY: Final = re.compile(r"(?:[^'\\]|''|\\.)*", re.DOTALL)
_NAME_BODY: Final = re.compile(r'(?:[^"]|"")*')
#: A quoted name that can hardly be anything but a name. Who writes `= "alice@example.com"` gets
#: an error from PostgreSQL, and the text with the address stays visible in pg_stat_activity.
_HARMLESS_NAME: Final = re.compile(r"[^\W\d][\w$]{0,62}")
_BLOCK_COMMENT_OPENING: Final = re.compile(r"/\*")
_LINE_COMMENT: Final = re.compile(r"--[^\r\n]*")
_SETTING: Final = r"""[\w$"?]+(?:\s*\.\s*[\w$"?]+)*"""
#: The value of a setting needs no quotes to be somebody's token: `SET app.token TO s3cr3t`, also
#: in `ALTER ROLE ... SET` and `CREATE FUNCTION ... SET`. `UPDATE ... SET` begins otherwise.
_SET: Final = (
    rf"(?:SET(?:\s+(?:SESSION|LOCAL))?|(?:ALTER|CREATE)\b.*?\bSET)\s+{_SETTING}\s*(?:=|\bTO\b)"
)
#: What was mistyped is not run, and stays visible all the same: `SET app.token s3cr3t`.
_MISTYPED_SET: Final = (
    r"SET\s+(?!(?:SESSION|LOCAL)\s+(?:TRANSACTION|CHARACTERISTICS|AUTHORIZATION|ROLE)\b)"
    r"(?:(?:SESSION|LOCAL)\s+)?"
    rf"(?!(?:TRANSACTION|CONSTRAINTS|SESSION|LOCAL|ROLE|TIME|SCHEMA|NAMES|XML)\b){_SETTING}(?=\s)"
)
#: `CREATE ROLE x PASSWORD s3cr3t`
_ROLE_OPTION: Final = r"(?:CREATE|ALTER)\s+(?:ROLE|USER|GROUP)\b.*?\bPASSWORD\b(?!\s+NULL\b)(?=\s)"
#: What may stand before a string, besides words of the grammar: names of types. Any other word
#: there is more likely the end of a literal with an unescaped quote in it.
_TYPES: Final = frozenset((
    "bool", "box", "bytea", "cidr", "circle", "date", "datemultirange", "daterange", "float4",
    "float8", "inet", "int2", "int4", "int8", "int4range", "int8range", "json", "jsonb",
    "jsonpath", "line", "lseg", "macaddr", "money", "name", "numrange", "oid", "path", "point",
    "polygon", "regclass", "regproc", "regprocedure", "regrole", "regtype", "text", "timestamptz",
    "timetz", "tsquery", "tsrange", "tstzrange", "tsvector", "uuid", "xid", "xml",
))  # fmt: skip
_KEYWORDS: Final = frozenset().union(
    keywords.RESERVED_KEYWORDS,
    keywords.UNRESERVED_KEYWORDS,
    keywords.COL_NAME_KEYWORDS,
    keywords.TYPE_FUNC_NAME_KEYWORDS,
)
_BEFORE_STRINGS: Final = _TYPES | _KEYWORDS
#: Besides keywords, literals and parameters what may follow a comment with a newline in it.
_AFTER_COMMENTS: Final = frozenset(",;)")
#: Longer ones are not parsed, and count as no statements.
_MOST_PARSED: Final = 50_000
_UNQUOTED_VALUE: Final = re.compile(f"{_SET}|{_MISTYPED_SET}|{_ROLE_OPTION}", re.IGNORECASE)


def strip_literals(text: str) -> str:
    """The statement with `?` for every literal, without comments, on one line.

    Names, keywords and parameters such as `$1` stay.
    """
    kept = without_literals(text, PLACEHOLDER)
    return kept if len(kept) <= MAX_LENGTH else kept[: MAX_LENGTH - len(CUT)] + CUT


def without_literals(text: str, placeholder: str) -> str:
    """Like `strip_literals`, with something else in the place of literals, and at full length."""
    read = _SPACE.sub(" ", _Reader(text, placeholder).read()).strip(" ")
    return ";".join(_without_value(each, placeholder) for each in read.split(";"))


def _without_value(statement: str, placeholder: str) -> str:
    """Drop what follows ``SET name =`` or ``PASSWORD`` in a statement without literals."""
    bare = statement.lstrip()
    match = _UNQUOTED_VALUE.match(bare)
    if match is None:
        return statement
    return f"{statement[: len(statement) - len(bare)]}{match.group()} {placeholder}"


def _is_statement(text: str) -> bool:
    """Whether the grammar, that of version 18, knows it."""
    if len(text) > _MOST_PARSED or "\0" in text:  # C would read no further than that
        return False
    try:
        split(text)
    except ParseError:
        return False
    return True


class _Reader:
    """Reads one text from left to right; every step consumes at least one character."""

    def __init__(self, text: str, placeholder: str) -> None:
        self._text = text
        self._placeholder = placeholder
        self._at = 0
        self._out: list[str] = []
        #: The same statement with empty literals, for the grammar.
        self._bare: list[str] = []
        self._word = ""
        #: How much of `_out` is certain, whatever the first literal or comment was meant to be.
        self._certain: int | None = None
        self._doubtful = False
        #: Whether what comes next may belong to the comment before it.
        self._wary = False

    def read(self) -> str:
        """The text without literals and comments, as far as there is no doubt about them."""
        complete = True
        while complete and self._at < len(self._text):
            complete = self._step()
        if self._certain is None:
            return "".join(self._out)
        if complete and not self._doubtful and _is_statement("".join(self._bare)):
            return "".join(self._out)
        return "".join(self._out[: self._certain]) + CUT

    def _step(self) -> bool:
        """Consume one token; False when the rest must be dropped."""
        for opening, consume in _TOKENS:
            if match := opening.match(self._text, self._at):
                return consume(self, match)
        self._keep(self._text[self._at], self._at + 1)
        return True

    def _keep(self, text: str, end: int, bare: str | None = None) -> None:
        self._out.append(text)
        self._bare.append(text if bare is None else bare)
        self._at = end
        if text.isspace():
            return
        self._word = ""
        if self._wary:
            self._wary = False
            certain = text.lower() in _KEYWORDS or text in _AFTER_COMMENTS or text[:1] == "$"
            self._doubtful |= not (certain or bare is not None)

    def _conceal(self, text: str, end: int, bare: str) -> None:
        """Something stands for what somebody typed, and what follows may belong to that."""
        if self._certain is None:
            self._certain = len(self._out) + 1
        self._keep(text, end, f" {bare} ")

    def word(self, match: re.Match[str]) -> bool:
        self._keep(match.group(), match.end())
        self._word = match.group().lower()
        return True

    def number(self, match: re.Match[str]) -> bool:
        self._keep(self._placeholder, match.end(), " 1 ")
        return True

    def escape_literal(self, opening: re.Match[str]) -> bool:
        return self._literal(opening, self._end_of(_ESCAPE_BODY, opening))

    def plain_literal(self, opening: re.Match[str]) -> bool:
        start, end = opening.end(), self._end_of(_PLAIN_BODY, opening)
        closed = self._literal(opening, end)
        # With standard_conforming_strings off, `\'` does not end the literal.
        return closed and "\\'" not in self._text[start : end + 1]

    def _end_of(self, body: re.Pattern[str], opening: re.Match[str]) -> int:
        match = body.match(self._text, opening.end())
        return opening.end() if match is None else match.end()

    def _literal(self, opening: re.Match[str], end: int) -> bool:
        bare = "U&''" if opening.group()[0] in "uU" else "''"
        self._string(end + 1, "'!'" if self._word == "uescape" else bare)
        return self._text.startswith("'", end)

    def _string(self, end: int, bare: str) -> None:
        adjoining = re.compile(_LETTER_OR_DIGIT).match(self._text, end) is not None
        if adjoining or (self._word and self._word not in _BEFORE_STRINGS):
            self._doubtful = True
        self._conceal(self._placeholder, end, bare)

    def quoted_name(self, opening: re.Match[str]) -> bool:
        end = self._end_of(_NAME_BODY, opening)
        name = self._text[opening.end() : end]
        closed = self._text.startswith('"', end)
        if closed and _HARMLESS_NAME.fullmatch(name) is not None:
            self._keep(f'"{name}"', end + 1)
        else:
            self._conceal(f'"{PLACEHOLDER}"' if closed else "", end + 1, '"x"')
        return closed

    def dollar_literal(self, opening: re.Match[str]) -> bool:
        tag = opening.group()
        end = self._text.find(tag, opening.end())
        self._string(len(self._text) if end < 0 else end + len(tag), "''")
        return end >= 0

    def line_comment(self, match: re.Match[str]) -> bool:
        self._conceal(" ", match.end(), "")
        self._wary = True  # a newline in what was put here ends the comment
        return True

    def block_comment(self, opening: re.Match[str]) -> bool:
        end = self._text.find("*/", opening.end())
        self._conceal(" ", len(self._text) if end < 0 else end + 2, "")
        self._wary = "*/" in self._text[self._at :]
        # Comments nest. Who put data into one may not have known, and then a literal that comes
        # later ends the comment, and its rest is not one any more.
        return end >= 0 and "/*" not in self._text[opening.end() : end]


_TOKENS: Final[tuple[tuple[re.Pattern[str], Callable[[_Reader, re.Match[str]], bool]], ...]] = (
    (_ESCAPE_QUOTE_OPENING, _Reader.escape_literal),
    (_QUOTE_OPENING, _Reader.plain_literal),
    (_QUOTED_NAME_OPENING, _Reader.quoted_name),
    (_DOLLAR_TAG, _Reader.dollar_literal),
    (_BLOCK_COMMENT_OPENING, _Reader.block_comment),
    (_LINE_COMMENT, _Reader.line_comment),
    (_WORD, _Reader.word),
    (_PARAMETER, _Reader.word),
    (_NUMBER, _Reader.number),
)
