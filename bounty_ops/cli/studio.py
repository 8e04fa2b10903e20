"""`bounty-ops studio`: look into a database in the browser, until Ctrl-C."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Final

import click

from bounty_ops.cli.console import present
from bounty_ops.cli.failure import Terminated
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.session import read_settings, servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import UsageError
from bounty_ops.object_store import ObjectStore
from bounty_ops.studio.access import decide, require_hidden

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.environments import Settings
    from bounty_ops.studio.access import Access

DEFAULT_PORT: Final = 9465


@click.command("studio", cls=Command)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port to listen at, on 127.0.0.1 only; 0 chooses a free one.",
)
@click.option(
    "--allow-edit",
    is_flag=True,
    help="Let rows of a protected environment be changed; every edit is recorded in the bucket.",
)
@click.option("--read-only", is_flag=True, help="Let nothing be changed, in development either.")
@click.option(
    "--show-secrets",
    is_flag=True,
    help="Show tokens, hashes of passwords and the like; not in a protected environment.",
)
@pass_invocation
def studio(
    invocation: Invocation, *, port: int, allow_edit: bool, read_only: bool, show_secrets: bool
) -> None:
    """Look into the database in the browser, until Ctrl-C.

    Tables with search, filters and references, queries that read, a diagram of the relationships
    and the data dictionary. Open the address that is printed: it works once, on this machine. Rows
    can be changed where the environment is not protected; each edit leaves a record in the bucket.
    Columns that hold tokens and other secrets are hidden.
    """
    if importlib.util.find_spec("sqladmin") is None:
        raise UsageError(
            "the studio is not installed", hint="Install it: pip install 'bounty-ops[studio]'"
        )
    if allow_edit and read_only:
        raise UsageError(
            "--allow-edit and --read-only exclude each other", hint="Give one of them, or none."
        )
    environment = read_settings(invocation).environment(invocation.environment)
    protected = environment.policy.protected
    require_hidden(environment, show_secrets=show_secrets)
    may_edit = not read_only and (allow_edit or not protected)
    with servers(invocation, database=True, bucket=may_edit) as settings:
        access = decide(
            settings.environment(invocation.environment),
            allow_edit=allow_edit,
            read_only=read_only,
            show_secrets=show_secrets,
            operator=operator_name(),
        )
        _serve(invocation, settings, access, port)


def _serve(invocation: Invocation, settings: Settings, access: Access, port: int) -> None:
    # Only here: a computer without the extra still gets `--help` and the messages above.
    from bounty_ops.studio.application import application  # noqa: PLC0415
    from bounty_ops.studio.database import opened  # noqa: PLC0415
    from bounty_ops.studio.guard import Session  # noqa: PLC0415
    from bounty_ops.studio.recording import Recorder  # noqa: PLC0415
    from bounty_ops.studio.serving import listening, origin_of, server_of  # noqa: PLC0415

    recorder = None
    if access.may_edit:
        store = ObjectStore(settings.require_object_store())
        store.check()  # without a place for records there is no editing
        recorder = Recorder(store, access)
    url = settings.environment(invocation.environment).require_url()
    # Rules that cannot be read might have hidden something.
    masking = None if access.shows_secrets else settings.require_masking()
    with listening(port) as listener, opened(url, access, recorder, masking) as database:
        session = Session(origin_of(listener))
        server = server_of(application(database, session))
        _announce(invocation, access, session.entrance)
        try:
            server.run(sockets=[listener])
        except Terminated:
            raise
        except KeyboardInterrupt:
            return


def _announce(invocation: Invocation, access: Access, address: str) -> None:
    document = {
        "url": address,
        "environment": access.environment,
        "database": access.address,
        "protected": access.protected,
        "editing": access.may_edit,
        "secrets_shown": access.shows_secrets,
    }

    def draw(console: Console) -> None:
        console.print(f"{access.environment} at {access.address}: {access.mode}")
        console.print(f"Open {address}")
        console.print("It works once, within ten minutes. Ctrl-C ends the studio.")

    present(invocation, document, draw)
    sys.stdout.flush()
