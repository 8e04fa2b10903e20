"""Servers of our own for what is not set, for the length of a command."""

from __future__ import annotations

import dataclasses
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bounty_ops.embedded import seaweed, server_log
from bounty_ops.embedded.databases import Databases
from bounty_ops.embedded.disk import writing_to
from bounty_ops.embedded.sharing import Use
from bounty_ops.embedded.state import State
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bounty_ops.embedded.keeping import Kept, Program
    from bounty_ops.embedded.state import Secrets
    from bounty_ops.environments import Environment, Settings


@dataclasses.dataclass(frozen=True)
class Needs:
    """What has to be stood in for: an embedded server never replaces what somebody has set."""

    environments: tuple[str, ...]
    ops: bool
    bucket: bool

    @classmethod
    def of(cls, settings: Settings, *, database: bool, ops: bool, bucket: bool) -> Needs:
        """What of these three the settings leave open. A wrong setting is not an open one."""
        return cls(
            tuple(
                name
                for name, environment in settings.environments.items()
                if database and environment.can_be_embedded
            ),
            ops and settings.ops_url is None and settings.ops_problem is None,
            bucket and settings.object_store is None and settings.object_store_problem is None,
        )

    @property
    def postgres(self) -> bool:
        """Whether a PostgreSQL server is needed."""
        return self.ops or bool(self.environments)


def note(message: str) -> None:
    """Tell a person, on standard error: standard output may be a document."""
    sys.stderr.write(f"bounty-ops: {message}\n")


@contextmanager
def stand_in(
    settings: Settings, *, database: bool = True, ops: bool = True, bucket: bool = True
) -> Iterator[Settings]:
    """Complete the settings with embedded servers for the length of the block.

    The servers are those of a running `bounty-ops up`, or of another command that runs now, or
    they are started here and stop with their last user.

    Args:
        settings: what is set; it is left as it is.
        database: whether the environment `development` is needed.
        ops: whether the operations database is needed.
        bucket: whether the bucket is needed.

    Raises:
        ProgramNotFound: PostgreSQL is needed and not installed.
        EmbeddedError: a server cannot be started.
    """
    needs = Needs.of(settings, database=database, ops=ops, bucket=bucket)
    with ExitStack() as stack:
        yield complete(settings, needs, stack, note, uses=[])


def complete(
    settings: Settings,
    needs: Needs,
    stack: ExitStack,
    say: Callable[[str], None],
    *,
    uses: list[Use],
) -> Settings:
    """Start or share what is needed; leaving the stack lets it all go at once.

    `uses` gets what holds the servers.
    """
    if not needs.postgres and not needs.bucket:
        return settings
    state = State(settings.state_dir)
    state.prepare()
    secrets = state.secrets()
    databases = Databases(state, secrets)
    if needs.postgres:
        uses.append(stack.enter_context(databases.use(say)))
    if needs.bucket:
        uses.append(stack.enter_context(_bucket_use(state, secrets, say)))
    # All are told before the first is waited for, so they stop side by side.
    stack.callback(let_go, uses)
    for use in uses:
        use.ready()
    return dataclasses.replace(
        settings,
        environments=_environments(settings.environments, needs, databases),
        ops_url=databases.url("bounty_ops") if needs.ops else settings.ops_url,
        object_store=(
            _store(state, secrets, state.remembered_ports()).settings()
            if needs.bucket
            else settings.object_store
        ),
    )


def let_go(uses: Sequence[Use]) -> None:
    """Stop using servers, all before the end of the first is waited for."""
    for use in uses:
        use.let_go()


def _environments(
    environments: Mapping[str, Environment], needs: Needs, databases: Databases
) -> dict[str, Environment]:
    return {
        name: dataclasses.replace(environment, url=databases.url("bounty"))
        if name in needs.environments
        else environment
        for name, environment in environments.items()
    }


def _store(state: State, secrets: Secrets, ports: Mapping[str, int]) -> seaweed.Seaweed:
    return seaweed.Seaweed(
        state.bucket,
        state.logs / f"{seaweed.NAME}.log",
        {name: ports[_port_name(name)] for name in seaweed.COMPONENTS},
        secrets.s3_access_key_id,
        secrets.s3_secret_access_key,
    )


def _port_name(component: str) -> str:
    return seaweed.NAME if component == seaweed.NAME else f"{seaweed.NAME}-{component}"


def _bucket_use(state: State, secrets: Secrets, say: Callable[[str], None]) -> Use:
    def prepare() -> Program:
        names = [_port_name(component) for component in seaweed.COMPONENTS]
        store = _store(state, secrets, state.ports(names, say=say, pairs=True))
        with writing_to(store.directory):
            server_log.rotate(store.log)
            return store.program()

    def wait_ready(kept: Kept) -> None:
        store = _store(state, secrets, state.remembered_ports())
        store.wait_ready(kept)
        bucket = ObjectStore(store.settings())
        bucket.create_bucket_if_missing()

    return Use(state.run, seaweed.NAME, prepare=prepare, wait_ready=wait_ready)
