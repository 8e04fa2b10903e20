"""From what went wrong with a database to what happened and what to do next: the only place.

Errors are recognised by code alone: by SQLSTATE wherever the server answered, and where no
connection came about by what `startup` reads from the protocol. libpq's and the server's words are
in a language that nobody chose here, and libpq repeats connection parameters in some of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg

from bounty_ops.environments.providers import advise
from bounty_ops.errors import PostgresError
from bounty_ops.postgres import causes
from bounty_ops.postgres.causes import cause_of
from bounty_ops.postgres.certificate import wants_a_certificate, why_not_agreed
from bounty_ops.postgres.startup import begin, cause_of_silence, takes_only_tls

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.cause import Cause
    from bounty_ops.postgres.startup import Startup

#: Causes where the server's own words may name the role, and nothing else that is not said yet.
_WORDLESS: Final = frozenset(
    {causes.PASSWORD_REJECTED, causes.ACCESS_REJECTED, causes.DATABASE_MISSING}
)
#: What a sslmode that the policy has raised may be the reason of.
_OF_A_RAISED_MODE: Final = frozenset(
    {
        causes.TLS_NOT_OFFERED,
        causes.TLS_FAILED,
        causes.CERTIFICATE_UNVERIFIED,
        causes.ROOT_CERTIFICATE_MISSING,
    }
)
_NAMES_THE_ROLE: Final = frozenset({causes.PASSWORD_REJECTED, causes.ACCESS_REJECTED})


def diagnose(error: psycopg.Error, url: DatabaseUrl, *, connecting: bool = False) -> PostgresError:
    """The error of our tree that says what happened to `url`, with what to do next.

    Args:
        error: what psycopg raised.
        url: whose connection it was.
        connecting: whether it was still to be made. Then it is begun once more, to see why not.
    """
    state = error.sqlstate
    if state is not None:
        return _by_state(state, url, _server_words(error))
    if connecting:
        cause, detail = refusal(url)
        return explained(cause, url, detail)
    if isinstance(error, psycopg.OperationalError):
        return explained(causes.CONNECTION_LOST, url)
    return PostgresError(
        f"{url.address()}: {type(error).__name__}",
        hint="Run the command again with --debug to see where it happened.",
    )


def refusal(url: DatabaseUrl) -> tuple[Cause, str]:
    """Why no connection to `url` comes about, with what else was found; asks the server again."""
    silence = cause_of_silence(url)
    if silence is not None:
        return silence, ""
    start = begin(url)
    if start.state is not None:
        return _refused(start, url)
    if start.stopped_at_tls and not start.timed_out:
        return why_not_agreed(url)
    if start.broke_off_behind_tls:
        # With TLS 1.3 the server judges our certificate after our side took itself for done.
        cause, detail = why_not_agreed(url)
        if cause is not causes.TLS_FAILED:
            return cause, detail
    return _without_a_code(start, url), ""


def explained(cause: Cause, url: DatabaseUrl, detail: str = "") -> PostgresError:
    """A cause as an error about `url`, with what its provider and password have to do with it."""
    who = f"{url.user} at {url.address()}" if cause in _NAMES_THE_ROLE else url.address()
    error = cause.kind(
        f"{who}: {cause.what}" + (f": {detail}" if detail else ""), hint=remedy(cause, url)
    )
    error.diagnosis = cause.name
    return error


def remedy(cause: Cause, url: DatabaseUrl) -> str:
    """What to do about a cause at this address, most specific first."""
    steps = [advice.remedy for advice in advise(url).about(cause.name)]
    if cause is causes.PASSWORD_REJECTED and url.unencoded:
        marks = " ".join(f"`{mark}`" for mark in url.unencoded)
        steps.append(
            f"The URL's password holds {marks} unencoded, which may not be what was meant: write "
            + ", ".join(f"`{mark}` as %{ord(mark):02X}" for mark in url.unencoded)
            + "."
        )
    steps.append(cause.remedy)
    if url.raised_from is not None and cause in _OF_A_RAISED_MODE:
        steps.append(_why_raised(url, url.raised_from))
    return " ".join(steps)


def _why_raised(url: DatabaseUrl, written: str) -> str:
    said = "no sslmode" if written == "none" else f"sslmode={written}"
    weaker = "require" if written in {"require", "verify-ca"} else "as_written"
    return (
        f"(The URL says {said}; the policy made it {url.sslmode}. What may be weaker is said in "
        f'bounty_ops.toml, such as tls = "{weaker}" for this environment; for the operations '
        "database, VERIFY_SERVER_URL and a URL that a command is given by a sslmode in the URL.)"
    )


def _without_a_code(start: Startup, url: DatabaseUrl) -> Cause:
    by_step = (
        (start.connected, causes.PASSED),
        (start.timed_out, causes.NO_ANSWER),
        (start.needs_password, causes.PASSWORD_MISSING),
        (start.tls_answer == "N" and url.requires_tls, causes.TLS_NOT_OFFERED),
    )
    return next((cause for true, cause in by_step if true), causes.NOT_POSTGRESQL)


def _refused(start: Startup, url: DatabaseUrl) -> tuple[Cause, str]:
    state = start.state or ""
    tried_in_the_clear_only = start.tls_answer is None and not url.host.startswith("/")
    if state == "28000" and tried_in_the_clear_only and takes_only_tls(url):
        return causes.TLS_REQUIRED, ""
    if state == "28000" and start.tls_answer == "S" and wants_a_certificate(url):
        return causes.CLIENT_CERTIFICATE_MISSING, ""
    if state == "42501":
        return causes.CONNECT_FORBIDDEN, ""
    cause = cause_of(state)
    if cause is None:
        return causes.POOLER_REFUSED, f"SQLSTATE {state}"
    return cause, ""


def _by_state(state: str, url: DatabaseUrl, words: str) -> PostgresError:
    cause = cause_of(state)
    if cause is None:
        return PostgresError(
            f"{url.address()}: {words or 'the statement failed'} (SQLSTATE {state})",
            hint="Look up the SQLSTATE in PostgreSQL's documentation, appendix A.",
        )
    if cause is causes.SCHEMA_MISMATCH:
        words = f"{words} (SQLSTATE {state})"
    return explained(cause, url, "" if cause in _WORDLESS else words)


def _server_words(error: psycopg.Error) -> str:
    """The server's primary message: it names objects and roles, never parameter values.

    Detail and context lines are left out: they quote rows and statements.
    """
    return (error.diag.message_primary or "").strip()
