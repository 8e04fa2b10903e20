"""A deployment that is watched, with a clock that tests move and servers that they break."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import psycopg
from psycopg import sql
from sqlalchemy import select

from bounty_ops.alerting import Rule
from bounty_ops.alerting.blindness import Blindness
from bounty_ops.defs import watch
from bounty_ops.defs.failures import Secrets
from bounty_ops.defs.names import Names
from bounty_ops.environments import AlertSettings, Environment, load_settings
from bounty_ops.journal import Journal
from bounty_ops.monitoring import Indexes, Tables, collect
from bounty_ops.monitoring.history import latest_collections, recall, store_collection
from bounty_ops.object_store import ObjectStore
from bounty_ops.schema.ops import Incident

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.alerting.conftest import Webhook
    from bounty_ops_tests.alerting.faults.table import Fault

Session = psycopg.Connection[Any]
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
#: The version since which a session may be told to report what it counted.
_FLUSHES: Final = 150_000


@dataclass
class Place:
    """One environment: its files, its servers, and the channel that is told."""

    home: Path
    name: str
    url: DatabaseUrl
    operations: Engine
    webhook: Webhook
    instance: dg.DagsterInstance
    variables: dict[str, str]
    """Of `.env`."""
    server_with_statistics: Callable[[], DatabaseUrl]
    server_with_standby: Callable[[], tuple[DatabaseUrl, DatabaseUrl]]
    make_database: Callable[..., DatabaseUrl]
    make_bucket: Callable[..., Any]
    now: datetime
    # Sessions are listed early, and nobody waits for samples of statements, which no rule needs.
    policy: list[str] = field(
        default_factory=lambda: ["slow_query_seconds = 0.05", "sampling_seconds = 0"]
    )
    """Lines of the environment's table in `bounty_ops.toml`."""
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: list[str] = field(default_factory=lambda: ["ALERT_URL"])
    more: str = ""
    """Of the same file, at its end."""
    measures: bool = True
    each_time: Callable[[], None] = lambda: None
    """What goes on while it is broken, before each look."""
    repository: dg.RepositoryDefinition | None = None
    began: datetime = field(init=False)
    _sessions: list[Session] = field(default_factory=list)
    _heard: int = 0

    def __post_init__(self) -> None:
        self.began = self.now

    # What an operator writes.

    def prepare(self, fault: Fault) -> None:
        """Watch with one rule, by its defaults but for what the fault has lowered."""
        self.rules = {rule.value: {"enabled": rule is fault.rule} for rule in Rule}
        self.rules[fault.rule.value] |= fault.lowered
        self.write()

    def write(self) -> None:
        """Write the files as they are to be now."""
        lines = [f"{name}={value}" for name, value in self.variables.items()]
        (self.home / ".env").write_text("\n".join(lines), encoding="utf-8")
        text = f"DATABASE_URL={self.url.text()}"
        (self.home / f".env.{self.name}").write_text(text, encoding="utf-8")
        tables = [f"[environments.{self.name}]", f"channels = {json.dumps(self.channels)}"]
        tables += [*self.policy, f"[environments.{self.name}.alerts]", 'tier = "production"']
        for rule, fields in self.rules.items():
            tables.append(f"[environments.{self.name}.alerts.rules.{rule}]")
            tables += [f"{key} = {json.dumps(value)}" for key, value in fields.items()]
        text = "\n".join([*tables, self.more])
        (self.home / "bounty_ops.toml").write_text(text, encoding="utf-8")

    def environment(self) -> Environment:
        """The environment as its files have it."""
        return load_settings(self.home).environment(self.name)

    def settings_of(self, rule: Rule) -> Any:  # noqa: ANN401 - a rule's settings
        """What a rule goes by."""
        settings: AlertSettings = self.environment().alert_settings
        return settings.rule(rule)

    # What is there.

    def session(self, name: str = "web", url: DatabaseUrl | None = None) -> Session:
        """A session of somebody else."""
        conninfo: dict[str, Any] = (url or self.url).conninfo()
        one = psycopg.connect(**{**conninfo, "application_name": name}, autocommit=True)
        self._sessions.append(one)
        return one

    def execute(self, statement: str, *names: str, url: DatabaseUrl | None = None) -> None:
        """Run a statement in a session of its own; each `{}` becomes a quoted name.

        The server has counted it then: a watcher knows by counters what it need not read again.
        """
        conninfo: dict[str, Any] = (url or self.url).conninfo()
        with psycopg.connect(**conninfo, autocommit=True) as one:
            try:
                one.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
            finally:
                if one.info.server_version >= _FLUSHES:
                    one.execute("SELECT pg_catalog.pg_stat_force_next_flush()")

    def value(self, query: str) -> Any:  # noqa: ANN401 - SQL is anything
        """The one value that a query has."""
        conninfo: dict[str, Any] = self.url.conninfo()
        with psycopg.connect(**conninfo, autocommit=True) as one:
            row = one.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    def journal(self) -> Journal:
        """The records in the bucket."""
        return Journal(ObjectStore(load_settings(self.home).require_object_store()))

    def close(self) -> None:
        """Leave nothing behind."""
        for one in self._sessions:
            one.close()

    # What time does.

    def passes(self, span: timedelta) -> None:
        """Move the clock."""
        self.now += span

    def measure(self) -> None:
        """Take and store samples of everything, as of the clock's time."""
        environment = self.environment()
        memory = recall(self.operations, self.name)
        relations = frozenset({Tables.family, Indexes.family})
        found = latest_collections(self.operations, self.name, 1, relations, now=self.now)
        result = collect(environment, former=next(iter(found), None), memory=memory)
        store_collection(self.operations, replace(result, taken_at=self.now))

    def look(self) -> str:
        """What the watcher's sensor does at a tick; what it left in the tick history."""
        self.each_time()
        if self.measures:
            self.measure()
        context = dg.build_sensor_context(instance=self.instance, repository_def=self.repository)
        with context:
            return watch.look_once(context, Names(self.name), Secrets(), now=self.now)

    def told(self, rule: Rule) -> list[dict[str, Any]]:
        """What the webhook has got of a rule since this was asked last."""
        found = [each for each in self.webhook.received if each["environment"] == self.name]
        new, self._heard = found[self._heard :], len(found)
        return [each for each in new if each["rule"] == rule.value]

    def states(self, rule: Rule) -> set[str]:
        """Of the incidents of a rule."""
        with self.operations.connect() as connection:
            chosen = select(Incident.state).where(
                Incident.environment == self.name, Incident.rule == rule.value
            )
            return set(connection.scalars(chosen))

    def said(self, rule: Rule) -> tuple[str, str]:
        """Title and body of the one incident of a rule."""
        with self.operations.connect() as connection:
            chosen = select(Incident.message, Incident.body).where(
                Incident.environment == self.name, Incident.rule == rule.value
            )
            title, body = connection.execute(chosen).one()
            return title, body

    @staticmethod
    def forget_outages() -> None:
        """What the process knows of operations databases that are away."""
        watch._BLINDNESS = Blindness()  # type: ignore[misc] # a process that begins anew
