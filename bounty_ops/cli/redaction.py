"""Keep secrets out of everything that the command line prints about a failure.

Errors of ours are built without secrets. A traceback of somebody else's library is not: it may
quote a connection string. So every secret that a command came to know is replaced before a failure
is shown, raw and percent-encoded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bounty_ops.environments import Settings

_MASK = "***"
# A password of one or two characters would tear holes into every word of a traceback, and hiding
# it hides nothing.
_SHORTEST = 3
#: The password of a URL, up to the last `@`: one of its own may stand there unencoded.
_PASTED = re.compile(r"://[^:/?#\s]*:(\S+)@|[?&]password=([^&\s]+)")
_VARIABLES = ("PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Redaction:
    """The secrets known so far, and how to hide them."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def __repr__(self) -> str:
        return f"Redaction({len(self._secrets)} secrets)"

    def add(self, secrets: Iterable[str | None]) -> None:
        """Remember secrets; what is missing or too short to hide is passed over."""
        for secret in secrets:
            if secret and len(secret) >= _SHORTEST:
                self._secrets |= {secret, quote(secret, safe=""), quote_plus(secret)}

    def learn(self, settings: Settings) -> None:
        """Remember every secret that these settings hold."""
        self.add(settings.secrets())

    def learn_variables(self, environ: Mapping[str, str]) -> None:
        """Remember the secrets that other programs' variables hold, whether we use them or not."""
        self.add(environ.get(name) for name in _VARIABLES)

    def learn_words(self, words: Sequence[str]) -> None:
        """Remember the passwords of URLs among the words of a command.

        Somebody pasted one where a name belongs. This machine has seen it by then; the log that
        keeps what a command said need not.
        """
        for word in words:
            for found in _PASTED.finditer(word):
                given = found[1] or found[2]
                self.add((given, unquote(given)))

    def apply(self, text: str) -> str:
        """`text` without any known secret."""
        # Longest first: a secret that contains another one must not be left half visible.
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, _MASK)
        return text
