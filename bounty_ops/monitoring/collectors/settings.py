"""Settings that are not the built-in ones, so that a change between two collections is seen."""

import hashlib
from collections.abc import Iterable
from typing import ClassVar, Final, NamedTuple

from bounty_ops.monitoring.probe import Measured, Probe, identifier
from bounty_ops.monitoring.result import Cadence, Entry, FamilyResult, Unknown, UtcTime

#: Texts that can hold no secret; all numbers, switches and choices can hold none either.
_HARMLESS_TEXTS: Final = frozenset({
    "DateStyle", "TimeZone", "cluster_name", "data_directory", "default_tablespace",
    "default_text_search_config", "lc_collate", "lc_ctype", "lc_messages", "lc_monetary",
    "lc_numeric", "lc_time", "listen_addresses", "local_preload_libraries", "log_destination",
    "log_directory", "log_filename", "log_line_prefix", "log_timezone", "search_path",
    "server_encoding", "server_version", "session_preload_libraries", "shared_preload_libraries",
    "ssl_ciphers", "synchronous_standby_names", "temp_tablespaces", "timezone_abbreviations",
})  # fmt: skip
_HARMLESS_TYPES: Final = frozenset({"bool", "integer", "real", "enum"})


class Setting(Entry):
    """A setting of the server, of a database or of a role that differs from the built-in one."""

    name: str
    scope: str
    """`server`; or whose it is: `database bounty`, `role app`, `role app in database bounty`."""
    value: str | None
    """None where it could hold a secret: commands, connection strings, texts of extensions."""
    value_hash: str
    """Eight hexadecimal digits that change when the value does."""
    unit: str | None
    source: str
    """`configuration file`, `command line`, `database`, `role` ..."""
    pending_restart: bool
    """Whether another value waits for a restart of the server."""

    @property
    def subject(self) -> str:
        """Scope and name."""
        return f"{self.scope}: {self.name}"


class ServerSettings(FamilyResult):
    """All of them; one that is missing has its built-in value."""

    family: ClassVar[str] = "settings"
    lists: ClassVar[tuple[str, ...]] = ("settings",)
    cadence: ClassVar[Cadence] = "deltas"

    server_version: str
    digest: str
    """Of all names and values: it is the same as long as no setting has changed."""
    loaded_at: UtcTime
    """When the server last read its configuration files."""
    pending_restart: int
    """How many settings wait for a restart of the server."""
    settings: tuple[Setting, ...]


class _Row(NamedTuple):
    scope: str
    name: str
    value: str
    unit: str | None
    kind: str | None
    source: str
    pending_restart: bool


def collect_settings(probe: Probe) -> Measured:
    """Read the settings that are not built in.

    Raises:
        psycopg.Error: a statement failed.
    """
    rows = (_Row(*row) for row in probe.rows("settings"))
    settings = tuple(sorted(map(_setting, rows), key=lambda each: each.subject))
    result = ServerSettings(
        **probe.record("settings_age"),
        digest=digest_of(settings),
        pending_restart=sum(each.pending_restart for each in settings),
        settings=settings,
    )
    ((reads_all,),) = probe.rows("reads_all_settings")
    return Measured(result, () if reads_all else (_hidden(probe),))


def digest_of(settings: Iterable[Setting]) -> str:
    """The same for the same settings, in whatever order."""
    lines = sorted(f"{each.subject}={each.value_hash}" for each in settings)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _setting(row: _Row) -> Setting:
    shown = row.kind in _HARMLESS_TYPES or row.name in _HARMLESS_TEXTS
    return Setting(
        name=row.name,
        scope=row.scope,
        value=row.value if shown else None,
        # So short that it does not lead back to what was hashed.
        value_hash=hashlib.sha256(f"{row.name}={row.value}".encode()).hexdigest()[:8],
        unit=row.unit,
        source=row.source,
        pending_restart=row.pending_restart,
    )


def _hidden(probe: Probe) -> Unknown:
    return Unknown(
        family=ServerSettings.family,
        subject="settings that only superusers see",
        reason=f"the server shows some twenty settings only to members of pg_read_all_settings, "
        f"and {probe.user} is none",
        remedy=f"GRANT pg_read_all_settings TO {identifier(probe.user)} (pg_monitor includes it)",
    )
