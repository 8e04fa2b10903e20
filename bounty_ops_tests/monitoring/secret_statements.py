"""Statements full of secrets, in every form that a literal can take; most of them even run.

Of every secret each character gives it away: `SECRET` finds any of them, so that a secret which
was cut in half is found as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

#: Nothing but secrets has these characters; a number that is no `$1` is a secret too.
LETTERS: Final = "§¤ß€ñ漢字🔑"
SECRET: Final = re.compile(rf"[{LETTERS}]|(?<![$\d])\d")

_TEMPLATES: Final = (
    "SELECT {} AS a, {} AS b",
    "SELECT {}{}, {}",
    "SELECT {} /* {c} */, {} /* {c} */ AS b -- {c}\n FROM account",
    "-- {c}\nSELECT email /* {c} */ FROM account",
    "select * from account where email = {} and token in ({}, {}) limit {}",
    "SELECT * FROM account a JOIN account b USING (email) WHERE a.token LIKE {} -- {c}\n",
    "INSERT INTO account (email, token) VALUES ({}, {}), ({}, {})",
    "UPDATE account SET token = {} /* {c} */ WHERE email = {} RETURNING token",
    "DELETE FROM account WHERE email = ANY (ARRAY[{}, {}])",
    "MERGE INTO account a USING x ON a.email = {} WHEN MATCHED THEN UPDATE SET token = {}",
    "WITH x AS (SELECT {} AS y) SELECT data ->> {} FROM x, account WHERE data ? {}",
    "VALUES ({}), ({})",
    "SELECT CASE WHEN email = {} THEN {} ELSE {} END FROM account",
    "SELECT {}::text[], {} :: jsonb, CAST({} AS date)",
    "EXPLAIN (COSTS false) SELECT {} FROM account",
    "DECLARE c CURSOR FOR SELECT {}",
    "PREPARE p AS SELECT {} WHERE email = {}",
    "EXECUTE p ({}, {})",
    "CREATE ROLE r LOGIN PASSWORD {} VALID UNTIL {}",
    "ALTER ROLE r WITH ENCRYPTED PASSWORD {}",
    "alter user r password {}",
    "CREATE USER r PASSWORD {w}",
    "ALTER ROLE r SET app.token = {}",
    "ALTER ROLE r IN DATABASE d SET app.token TO {w}",
    "ALTER DATABASE d SET app.token TO {}, {}",
    "ALTER SYSTEM SET primary_conninfo = {}",
    "SET app.token = {}",
    "SET LOCAL app.token TO {w}",
    'set session "app.token" = {w}, {w}',
    "SET app.token {w}",
    "/* {c} */ SET app.token={w}; SELECT {}",
    "SELECT set_config({}, {}, true)",
    "COMMENT ON TABLE account IS {}",
    "SECURITY LABEL ON ROLE r IS {}",
    "COPY account FROM {}",
    "COPY (SELECT {}) TO {}",
    "NOTIFY channel, {}",
    "LOAD {}",
    "CREATE SUBSCRIPTION s CONNECTION {} PUBLICATION p",
    "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host {}, dbname {})",
    "CREATE USER MAPPING FOR r SERVER s OPTIONS (user {}, password {})",
    "ALTER USER MAPPING FOR r SERVER s OPTIONS (SET password {})",
    "CREATE FUNCTION f() RETURNS text LANGUAGE sql SET app.token = {} AS {}",
    "CREATE TABLE t (a text DEFAULT {}, CHECK (a <> {}))",
    "CREATE VIEW v AS SELECT {} AS x",
    "DO {}",
    "PREPARE TRANSACTION {}",
    "ROLLBACK PREPARED {}",
    "SET TIME ZONE {}",
    "SET SESSION AUTHORIZATION {}",
    "CREATE TYPE mood AS ENUM ({}, {})",
    "SELECT x.{n} FROM account x WHERE email = {n}",
    "not even a statement {} ( {} , {}",
    "SELECT {}; SELECT {}; BEGIN; SET app.token TO {w}",
)
_FILLERS: Final = (" ", "--", "/*", "*/", '"', "$", "E", ";", "@", ":", ".", "$$", "\n", ")", "?")


@dataclass
class SecretStatements:
    """Makes statements; the same `shape` with other `secrets` differs in its secrets alone."""

    shape: random.Random
    secrets: random.Random
    forms: list[Callable[[], str]] = field(init=False)

    def __post_init__(self) -> None:
        self.forms = [
            self._plain, self._plain, self._escape, self._unicode, self._dollar, self._bits,
            self._number, self._continued, self._array, self._typed, self._long, self._backslash,
            self._careless,
        ]  # fmt: skip

    def make(self) -> str:
        """One statement, in about one of ten cut off at some place."""
        text = self.shape.choice(_TEMPLATES)
        while (match := re.search(r"\{[wnc]?\}", text)) is not None:
            text = text[: match.start()] + self._part(match.group()) + text[match.end() :]
        if self.shape.random() < 0.1:
            text = text[: self.shape.randrange(1, len(text))]
        return text

    def _part(self, slot: str) -> str:
        if slot == "{w}":
            return self._word()
        if slot == "{n}":
            return f'"{self._secret()}@"'
        if slot == "{c}":
            # May close the comment early: what stands behind it is no comment, whatever was meant.
            return self._spiced()
        return self.shape.choice(self.forms)()

    def _secret(self) -> str:
        return "".join(self.secrets.choices(LETTERS, k=self.shape.randint(1, 8)))

    def _word(self) -> str:
        return "".join(self.secrets.choices("ßñ漢字", k=self.shape.randint(1, 8)))

    def _spiced(self, *others: str) -> str:
        parts = [self._secret()]
        for _ in range(self.shape.randint(0, 4)):
            parts += [self.shape.choice((*_FILLERS, *others)), self._secret()]
        # A slot's own sign would be taken for a slot.
        return "".join(parts)

    def _plain(self) -> str:
        return f"'{self._spiced(chr(39) * 2)}'"

    def _careless(self) -> str:
        """Put between quotes by somebody who did not think of those in it."""
        quotes = self.shape.choice((("'",), ("'", " ' ", "'s ")))
        parts = [each for quote in quotes for each in (self._secret(), quote)]
        return "'" + "".join(parts) + self._secret() + "'"

    def _backslash(self) -> str:
        """Ends elsewhere when standard_conforming_strings is off."""
        return f"'{self._spiced(chr(92) + chr(39), chr(92) * 2)}'"

    def _escape(self) -> str:
        prefix = self.shape.choice("eE")
        return f"{prefix}'{self._spiced(chr(92) + chr(39), chr(92) * 2, chr(39) * 2)}'"

    def _unicode(self) -> str:
        escaped = self.shape.choice(["", " UESCAPE '!'"])
        return f"{self.shape.choice('uU')}&'{self._spiced(chr(39) * 2)}'{escaped}"

    def _dollar(self) -> str:
        tag = self.shape.choice(["$$", "$a$", "$Body_x$"])
        inside = self._spiced("'", "$b$").replace(tag, "")
        return tag + inside.replace("$$", "") + tag if tag == "$$" else tag + inside + tag

    def _bits(self) -> str:
        kind = self.shape.choice("bBxX")
        digits = "01" if kind in "bB" else "0123456789"
        return f"{kind}'{''.join(self.secrets.choices(digits, k=self.shape.randint(1, 12)))}'"

    def _number(self) -> str:
        digits = "".join(self.secrets.choices("123456789", k=self.shape.randint(1, 12)))
        form = self.shape.choice(["{}", "-{}", "{}.{}", "{}e-{}", ".{}", "{}_{}", "0x{}"])
        return form.replace("{}", digits)

    def _continued(self) -> str:
        return f"'{self._secret()}'\n  '{self._secret()}'"

    def _array(self) -> str:
        inside = ",".join(f'"{self._secret()}"' for _ in range(self.shape.randint(1, 4)))
        return f"'{{{inside}}}'"

    def _typed(self) -> str:
        kind = self.shape.choice(["date ", "interval", "json", "bytea ", "N"])
        return f"{kind}'{self._secret()}'"

    def _long(self) -> str:
        """Longer than what the server keeps of a running statement."""
        return f"'{self._secret() * self.shape.randint(20, 120)}'"
