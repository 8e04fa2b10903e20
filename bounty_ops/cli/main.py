"""Where the command line begins and ends: run it, and turn every outcome into an exit code."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import sys
import traceback
import warnings
from typing import TYPE_CHECKING

import click

from bounty_ops.cli import failure
from bounty_ops.cli.invocation import Invocation
from bounty_ops.cli.tree import root
from bounty_ops.process import leave_no_core

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_BROKEN_PIPE = 128 + signal.SIGPIPE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; never raises what an operation raised."""
    leave_no_core()
    words = list(sys.argv[1:] if arguments is None else arguments)
    # A wrong option is noticed before the right ones behind it are read.
    invocation = Invocation(json="--json" in words, debug="--debug" in words)
    invocation.redaction.learn_variables(os.environ)
    invocation.redaction.learn_words(words)
    _listen_to_signals()
    _quieten(invocation)
    try:
        code = _run(words, invocation)
        sys.stdout.flush()
    except BrokenPipeError as error:
        return _reader_left() if _nobody_reads() else _report(error, invocation)
    return code


def _run(words: list[str], invocation: Invocation) -> int:
    try:
        with root.make_context("bounty-ops", words, obj=invocation) as context:
            root.invoke(context)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except BrokenPipeError:
        raise  # perhaps standard output, perhaps another pipe: the caller looks
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last boundary there is
        return _report(error, invocation)
    return failure.DONE


def _report(error: BaseException, invocation: Invocation) -> int:
    """Tell of a failure on standard error, and in JSON on standard output where that was asked."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and not invocation.json:
        click.echo(error.format_message())  # a group alone: the menu says more than two lines could
        return failure.WRONG_USAGE
    hide = invocation.redaction.apply
    told = failure.describe(error).shown_through(hide)
    if invocation.debug:
        text = "".join(traceback.format_exception(error))
        click.echo(hide(text), err=True, nl=False)
    click.echo(f"error: {told.message}", err=True)
    click.echo(f"hint: {told.hint}", err=True)
    if invocation.json:
        click.echo(json.dumps(told.document(), indent=2))
    return told.exit_code


def _nobody_reads() -> bool:
    """Whether the other end of standard output is closed."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _reader_left() -> int:
    """`bounty-ops ... | head`: nobody reads on, which is not worth a word."""
    # Python flushes standard output once more while it shuts down, and would complain then.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _BROKEN_PIPE


def _listen_to_signals() -> None:
    # A process started with `&` from a script inherits SIGINT ignored, and would hand that down to
    # every server it starts: Ctrl-C and `kill -INT` would then stop nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asks to live on
        signal.signal(signal.SIGHUP, _terminate)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise failure.Terminated


def _quieten(invocation: Invocation) -> None:
    """Standard error is ours: two lines for an error. Others may speak under --debug."""
    if not invocation.debug:
        warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_RedactingFormatter(invocation))
    logging.getLogger().addHandler(handler)
    logging.getLogger("bounty_ops").setLevel(logging.DEBUG)


class _RedactingFormatter(logging.Formatter):
    def __init__(self, invocation: Invocation) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._invocation = invocation

    def format(self, record: logging.LogRecord) -> str:
        return self._invocation.redaction.apply(super().format(record))
