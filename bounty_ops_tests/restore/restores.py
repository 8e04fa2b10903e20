"""Restores of backups into databases that are removed afterwards."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bounty_ops.restore.plan import Wishes, plan_restore
from bounty_ops.restore.restore import restore_backup
from bounty_ops.restore.target import Target
from bounty_ops_tests.fix_backups import Backups, run, value

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest
    from bounty_ops.restore.outcome import Restored, Watching
    from bounty_ops.restore.plan import RestorePlan


def databases(server: DatabaseUrl, beginning: str) -> list[str]:
    """The databases whose name begins so."""
    found = value(
        server.with_database("postgres"),
        "SELECT coalesce(array_agg(datname::text ORDER BY datname::text), '{}') FROM pg_database"
        f" WHERE starts_with(datname::text, '{beginning}')",
    )
    return list(found)


@dataclass
class Restores:
    """Restores of one bucket's backups, into databases that are removed afterwards."""

    backups: Backups
    targets: list[DatabaseUrl] = field(default_factory=list)

    def target(self, url: DatabaseUrl, *, protected: bool = False) -> Target:
        self.targets.append(url)
        return Target(url, url.database, None, protected=protected)

    def plan(self, manifest: Manifest, target: Target, **wishes: Any) -> RestorePlan:  # noqa: ANN401 - of Wishes
        return plan_restore(manifest, target, self.backups.journal, Wishes(**wishes))

    def carry_out(
        self,
        plan: RestorePlan,
        manifest: Manifest,
        target: Target,
        digest: str | None = None,
        *,
        watching: Watching | None = None,
        identities: tuple[str, ...] = (),
    ) -> Restored:
        return restore_backup(
            plan,
            target,
            manifest,
            self.backups.journal,
            operator="a test",
            digest=digest,
            work_dir=self.backups.work_dir,
            watching=watching,
            identities=identities,
        )

    def clear(self) -> None:
        for url in self.targets:
            for name in databases(url, url.database[:24]):
                if name == url.database and not name.startswith("target_"):
                    continue  # whoever made it removes it
                server = url.with_database("postgres")
                run(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def restore(self, manifest: Manifest, target: Target, **wishes: Any) -> Restored:  # noqa: ANN401 - of Wishes
        plan = self.plan(manifest, target, **wishes)
        return self.carry_out(plan, manifest, target, plan.digest)


def new_name() -> str:
    """The name of a database that does not exist."""
    return f"target_{secrets.token_hex(6)}"
