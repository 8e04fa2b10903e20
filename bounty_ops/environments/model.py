"""The environments of one deployment as values; nothing here reads a file or a variable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bounty_ops.environments.alerts import AlertSettings
from bounty_ops.environments.masking import Masking
from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bounty_ops.environments.object_storage import ObjectStoreSettings
    from bounty_ops.environments.policy import Policy
    from bounty_ops.environments.url import DatabaseUrl

DEVELOPMENT: Final = "development"


@dataclass(frozen=True)
class Environment:
    """One database of Bounty and its policy; `problem` says why it cannot be used."""

    name: str
    url: DatabaseUrl | None
    policy: Policy
    problem: ConfigurationError | None = None
    alert_urls: tuple[str, ...] = field(default=(), repr=False)
    ping_url: str | None = field(default=None, repr=False)
    """What the variable holds that `policy.ping` names; a secret as a whole."""
    alerts: AlertSettings | None = None
    """What alerting goes by; None: the defaults. Use `alert_settings`."""
    alerts_problem: ConfigurationError | None = None
    """Why the defaults are in force although something else was written."""

    watch_ping_url: str | None = field(default=None, repr=False)
    """What the variable holds that `policy.watch_ping` names; a secret as a whole."""

    @property
    def alert_settings(self) -> AlertSettings:
        """What alerting goes by."""
        return self.alerts or AlertSettings.of(self.name, self.policy)

    @property
    def configured(self) -> bool:
        """Whether operations can be tried on it."""
        return self.problem is None and self.url is not None

    @property
    def can_be_embedded(self) -> bool:
        """Whether an embedded server may stand in: development with nothing set, only."""
        return self.name == DEVELOPMENT and self.url is None and self.problem is None

    def require_url(self) -> DatabaseUrl:
        """The database's URL.

        Raises:
            ConfigurationError: the environment is unconfigured; says why.
        """
        if self.problem is not None:
            raise ConfigurationError(
                f"environment {self.name} is unconfigured: {self.problem}", hint=self.problem.hint
            )
        if self.url is None:
            raise ConfigurationError(
                f"environment {self.name} is unconfigured: it has no DATABASE_URL",
                hint=f"Write DATABASE_URL=postgresql://... into .env.{self.name}, or set "
                f"DATABASE_URL together with BOUNTY_ENV={self.name}.",
            )
        return self.url


@dataclass(frozen=True)
class Settings:
    """Everything that one deployment is told from outside."""

    project_dir: Path
    state_dir: Path
    environments: Mapping[str, Environment]
    default_environment: str
    ops_url: DatabaseUrl | None = None
    object_store: ObjectStoreSettings | None = None
    ops_problem: ConfigurationError | None = None
    object_store_problem: ConfigurationError | None = None
    copy_object_store: ObjectStoreSettings | None = None
    copy_object_store_problem: ConfigurationError | None = None
    verify_server: DatabaseUrl | None = None
    """A server given for drills; None: throw-away clusters on this machine."""
    verify_problem: ConfigurationError | None = None
    age_identities: tuple[str, ...] = field(default=(), repr=False)
    """Private keys that open encrypted backups; taking one needs none. Use `identities`."""
    age_problem: ConfigurationError | None = None
    masking: Masking = field(default_factory=Masking)
    masking_problem: ConfigurationError | None = None
    problems: tuple[ConfigurationError, ...] = ()

    def environment(self, name: str | None = None) -> Environment:
        """The environment `name`, or the default one.

        Raises:
            ConfigurationError: there is none by that name.
        """
        wanted = name or self.default_environment
        try:
            return self.environments[wanted]
        except KeyError:
            known = ", ".join(self.environments) or "none"
            raise ConfigurationError(
                f"there is no environment {wanted!r} (there are: {known})",
                hint=f"Choose one with -e, or write DATABASE_URL=postgresql://... into "
                f".env.{wanted} in the project's directory.",
            ) from None

    def require_ops_url(self) -> DatabaseUrl:
        """The operations database's URL.

        Raises:
            ConfigurationError: it is missing or cannot be used.
        """
        if self.ops_problem is not None:
            raise ConfigurationError(str(self.ops_problem), hint=self.ops_problem.hint)
        if self.ops_url is None:
            raise ConfigurationError(
                "there is no operations database",
                hint="Set OPS_DATABASE_URL=postgresql://... (never the one that is backed up).",
            )
        return self.ops_url

    def require_masking(self) -> Masking:
        """What is masked when an environment is refreshed from another.

        Raises:
            ConfigurationError: the rules cannot be read.
        """
        if self.masking_problem is not None:
            raise ConfigurationError(str(self.masking_problem), hint=self.masking_problem.hint)
        return self.masking

    def identities(self, *, encrypted: bool) -> tuple[str, ...]:
        """The private keys of age that there are, for a backup that is encrypted or not.

        Raises:
            ConfigurationError: it is, and the keys that are given cannot be read.
        """
        if encrypted and self.age_problem is not None:
            raise ConfigurationError(str(self.age_problem), hint=self.age_problem.hint)
        return self.age_identities

    def drill_server(self) -> DatabaseUrl | None:
        """The server given for drills, or None: a throw-away one on this machine.

        Raises:
            ConfigurationError: one is given, but cannot be used.
        """
        if self.verify_problem is not None:
            raise ConfigurationError(str(self.verify_problem), hint=self.verify_problem.hint)
        return self.verify_server

    def require_object_store(self) -> ObjectStoreSettings:
        """Where backups go.

        Raises:
            ConfigurationError: it is missing or cannot be used.
        """
        if self.object_store_problem is not None:
            problem = self.object_store_problem
            raise ConfigurationError(str(problem), hint=problem.hint)
        if self.object_store is None:
            raise ConfigurationError(
                "there is no bucket for backups",
                hint="Set BACKUP_BUCKET=s3://bucket/prefix and the provider's AWS_* variables.",
            )
        return self.object_store

    def require_copy_object_store(self) -> ObjectStoreSettings:
        """Where copies of backups go.

        Raises:
            ConfigurationError: it is missing or cannot be used.
        """
        if self.copy_object_store_problem is not None:
            problem = self.copy_object_store_problem
            raise ConfigurationError(str(problem), hint=problem.hint)
        if self.copy_object_store is None:
            raise ConfigurationError(
                "there is no second bucket for copies of backups",
                hint="Set BACKUP_COPY_BUCKET=s3://bucket/prefix and its BACKUP_COPY_* variables.",
            )
        return self.copy_object_store

    def secrets(self) -> tuple[str, ...]:
        """Every text that must never be shown, longest first, so that masking leaves no rest."""
        found: set[str] = set(self.age_identities)
        for environment in self.environments.values():
            found.update(environment.alert_urls)
            for called in (environment.ping_url, environment.watch_ping_url):
                if called is not None:
                    found.add(called)
            if environment.url is not None:
                found.update(environment.url.secrets())
        for url in (self.ops_url, self.verify_server):
            if url is not None:
                found.update(url.secrets())
        if self.object_store is not None:
            found.update(self.object_store.secrets())
        if self.copy_object_store is not None:
            found.update(self.copy_object_store.secrets())
        return tuple(sorted(found, key=len, reverse=True))
