"""How a failed operation reads in Dagster: what happened, what to do, and never a secret."""

import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg

from bounty_ops.errors import BountyOpsError, diagnosis_of

_MASK: Final = "***"
# Hiding a password of one or two characters would tear holes into every word of a traceback.
_SHORTEST: Final = 3


class Secrets:
    """The secrets that became known so far, and how to hide them."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, secrets: Iterable[str]) -> None:
        """Remember what must not be shown."""
        self._known.update(secret for secret in secrets if len(secret) >= _SHORTEST)

    def hide(self, text: str) -> str:
        """`text` with every known secret replaced."""
        # Longest first: a secret that holds another one must not be left half visible.
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, _MASK)
        return text


class UnexpectedError(Exception):
    """A programming error whose traceback held a secret; this is the rest of it."""


@contextmanager
def told(secrets: Secrets) -> Iterator[None]:
    """Turn an error of ours into a `dagster.Failure` of two lines.

    Any other exception is a defect and keeps its traceback, because somebody has to find it;
    only when that traceback holds a secret it is shown as `UnexpectedError` without it.

    Raises:
        dagster.Failure: the operation could not be carried out.
        UnexpectedError: a defect whose traceback held a secret.
    """
    try:
        yield
    except BountyOpsError as error:
        # `from None`: Dagster stores the whole chain, and a library's own text may hold anything.
        raise failure(str(error), error.hint, secrets, diagnosis=diagnosis_of(error)) from None
    except dg.Failure:
        raise
    except Exception as error:
        shown = "".join(traceback.format_exception(error))
        hidden = secrets.hide(shown)
        if hidden != shown:
            raise UnexpectedError(hidden) from None
        raise


def failure(
    happened: str, hint: str, secrets: Secrets, *, diagnosis: str | None = None
) -> dg.Failure:
    """A failure that says what happened and what to do next; a database's with its diagnosis."""
    happened, hint = secrets.hide(happened), secrets.hide(hint)
    return dg.Failure(
        description=f"{happened}\n{hint}",
        metadata={
            "what happened": dg.MetadataValue.text(happened),
            "what to do": dg.MetadataValue.text(hint),
            **({} if diagnosis is None else {"diagnosis": dg.MetadataValue.text(diagnosis)}),
        },
        # The operations themselves try again where that can help; running everything again
        # would only ask the same question.
        allow_retries=False,
    )
