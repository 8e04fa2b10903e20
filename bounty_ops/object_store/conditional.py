"""Writing an object only where none is.

Most stores know ``If-None-Match: *`` and check it in the moment of writing. Two kinds do not:
Backblaze B2 and others answer NotImplemented, so that the only thing left is to look first; and
some ignore what they do not know, which only a second write would show
(`bounty_ops.object_store.probe` makes one).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypedDict, TypeVar

from bounty_ops.errors import ObjectStoreError
from bounty_ops.object_store.diagnose import error_code

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_CONFLICTS: Final = 5
#: What stores say that do not know the condition; others that cannot do it say 501 as well.
REFUSALS: Final = frozenset({"NotImplemented", "501"})


class Condition(TypedDict, total=False):
    """The argument that asks for it; empty where the store cannot."""

    IfNoneMatch: str


def if_absent(write: Callable[[Condition], T], *, look: Callable[[], None]) -> T:
    """Write under the condition, or after a ``look`` (which raises ObjectExists) without it.

    A write that met another one under way (409) is repeated, as S3 asks for.
    """
    for attempt in range(_CONFLICTS):
        try:
            return write({"IfNoneMatch": "*"})
        except ObjectStoreError as error:
            code = error_code(error)
            if code in REFUSALS:
                break
            if code != "ConditionalRequestConflict" or attempt == _CONFLICTS - 1:
                raise
        time.sleep(0.2 * 2**attempt)
    look()
    return write({})
