"""One value for a database URL, whatever tool it was written for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from bounty_ops.environments.tls import for_libpq
from bounty_ops.environments.url_parsing import split_database_url

if TYPE_CHECKING:
    from sqlalchemy import URL

#: sslmode values under which libpq refuses a connection without TLS
#: (PostgreSQL documentation, "Protection Provided in Different Modes").
TLS_MODES: Final = frozenset({"require", "verify-ca", "verify-full"})
_SECRET_PARAMETERS: Final = frozenset({"sslpassword"})
_MASK: Final = "***"


@dataclass(frozen=True)
class DatabaseUrl:
    """Where a database is and as whom to connect; ``repr`` never shows the password."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    unencoded: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """Characters of the password, as it was written, that a URL should have percent-encoded."""
    raised_from: str | None = field(default=None, repr=False, compare=False)
    """The sslmode that was written (`none`: no one), where the policy made it a stronger one."""

    @classmethod
    def parse(cls, text: str) -> DatabaseUrl:
        """Read ``postgresql://``, ``postgres://`` and ``postgresql+driver://`` URLs.

        Raises:
            ConfigurationError: the URL cannot mean what was meant; percent-encoding mistakes are
                named by their character, and neither message nor hint holds the password.
        """
        parts = split_database_url(text)
        return cls(
            host=parts.host,
            port=parts.port,
            database=parts.database,
            user=parts.user,
            password=parts.password,
            parameters=parts.parameters,
            unencoded=parts.unencoded,
        )

    @property
    def sslmode(self) -> str:
        """The sslmode in force; libpq's own default is ``prefer``."""
        return dict(self.parameters).get("sslmode", "prefer")

    @property
    def requires_tls(self) -> bool:
        """Whether libpq would rather fail than talk in the clear."""
        return self.sslmode in TLS_MODES

    def sqlalchemy(self) -> URL:
        """The same as a SQLAlchemy URL for psycopg 3; ``str()`` of it masks the password."""
        from sqlalchemy import URL  # noqa: PLC0415 - the command line starts without SQLAlchemy

        query = for_libpq(dict(self.parameters))
        host: str | None = self.host
        if self.host.startswith("/"):
            query["host"], host = self.host, None
        return URL.create(
            "postgresql+psycopg",
            username=self.user,
            password=self.password,
            host=host,
            port=self.port,
            database=self.database,
            query=query,
        )

    def conninfo(self) -> dict[str, str]:
        """Keyword arguments of ``psycopg.connect``, the password among them."""
        keywords = {
            **for_libpq(dict(self.parameters)),
            "host": self.host,
            "port": str(self.port),
            "dbname": self.database,
            "user": self.user,
        }
        if self.password is not None:
            keywords["password"] = self.password
        return keywords

    def text(self) -> str:
        """The URL with its password: for a person who asked, or a child's environment."""
        return self._render(
            None if self.password is None else quote(self.password, safe=""), self.parameters
        )

    def redacted(self) -> str:
        """The URL with every secret in it replaced by ``***``."""
        shown = tuple(
            (name, _MASK if name in _SECRET_PARAMETERS else value)
            for name, value in self.parameters
        )
        return self._render(None if self.password is None else _MASK, shown)

    def _render(self, password: str | None, parameters: tuple[tuple[str, str], ...]) -> str:
        login = quote(self.user, safe="") + ("" if password is None else f":{password}")
        query = list(parameters)
        if self.host.startswith("/"):
            query = [("host", self.host), ("port", str(self.port)), *query]
            place = ""
        else:
            host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe=".-_")
            place = f"{host}:{self.port}"
        tail = f"?{urlencode(query, quote_via=quote, safe='*/')}" if query else ""
        return f"postgresql://{login}@{place}/{quote(self.database, safe='')}{tail}"

    def address(self) -> str:
        """``host:port/database``, for messages."""
        return f"{self.host}:{self.port}/{self.database}"

    def with_database(self, name: str) -> DatabaseUrl:
        """The same server and role, another database."""
        return replace(self, database=name)

    def secrets(self) -> tuple[str, ...]:
        """Every text that must never be shown, in plain and percent-encoded form."""
        values = [value for name, value in self.parameters if name in _SECRET_PARAMETERS]
        if self.password:
            values.append(self.password)
        return tuple({form for value in values if value for form in (value, quote(value, safe=""))})
