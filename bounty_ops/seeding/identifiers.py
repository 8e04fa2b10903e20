"""Row ids that are computed from a row's number, so that no list of them is ever kept.

Each kind is a bijection of the number (multiplication by an odd constant modulo a power of two),
so ids of one table cannot collide, however many rows there are.
"""

from __future__ import annotations

from binascii import b2a_base64
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def _constants(seed: int, name: str, bits: int) -> tuple[int, int, int]:
    source = Random(f"{seed}/{name}/id")  # noqa: S311 - ids of sample data guard nothing
    return source.getrandbits(bits) | 1, source.getrandbits(bits), (1 << bits) - 1


def uuids(seed: int, name: str) -> Callable[[int], str]:
    """Ids in the form of `gen_random_uuid()`."""
    odd, offset, mask = _constants(seed, name, 120)

    def identify(number: int) -> str:
        digits = f"{(number * odd + offset) & mask:030x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:]}"

    return identify


def tokens(seed: int, name: str) -> Callable[[int], str]:
    """32 characters of the URL-safe alphabet: what Bounty's sign-in library makes."""
    odd, offset, mask = _constants(seed, name, 192)

    def identify(number: int) -> str:
        raw = ((number * odd + offset) & mask).to_bytes(24, "big")
        return b2a_base64(raw, newline=False).translate(_URL_SAFE).decode("ascii")

    return identify


def digests(seed: int, name: str) -> Callable[[int], str]:
    """64 hexadecimal digits: the form of a SHA-256."""
    odd, offset, mask = _constants(seed, name, 256)

    def identify(number: int) -> str:
        return f"{(number * odd + offset) & mask:064x}"

    return identify


_CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels: codes that people type spell nothing
_CODE_SPACE: Final = len(_CODE_LETTERS) ** 8


def typed_codes(seed: int, name: str) -> Callable[[int], str]:
    """Codes in the form ABCD-EFGH (no vowels), distinct for the first 25 billion numbers."""
    offset = _constants(seed, name, 32)[0]

    def identify(number: int) -> str:
        rest = (number * 7_450_580_597 + offset) % _CODE_SPACE  # odd, no factor 5: a bijection
        letters = []
        for _ in range(8):
            rest, digit = divmod(rest, len(_CODE_LETTERS))
            letters.append(_CODE_LETTERS[digit])
        return f"{''.join(letters[:4])}-{''.join(letters[4:])}"

    return identify
