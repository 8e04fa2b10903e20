"""Settings that are not the built-in ones, so that a change between two collections is seen."""

from typing import ClassVar

from bounty_ops.monitoring.result import Cadence, Entry, FamilyResult, UtcTime


class Setting(Entry):
    """A setting of the server, of a database or of a role that differs from the built-in one."""

    name: str
    scope: str
    """`server`; or whose it is: `database bounty`, `role app`, `role app in database bounty`."""
    value: str | None
    """None where it could hold a secret: commands, connection strings, extensions' own texts."""
    value_hash: str
    """Eight hexadecimal digits that change when the value does."""
    unit: str | None
    source: str
    """`configuration file`, `command line`, `database`, `role` ..."""
    pending_restart: bool
    """Whether another value waits for a restart of the server."""

    @property
    def subject(self) -> str:
        """Name and scope."""
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
    settings: tuple[Setting, ...]
