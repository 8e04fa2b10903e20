"""How large each part of a multipart upload is. Pure arithmetic.

S3 takes at most 10,000 parts of at least 5 MiB (the last may be smaller) and at most 5 GiB. The
length of a pg_dump stream is unknown until it ends, so the parts must begin small (a small dump
needs little memory) and become large enough that 10,000 of them reach 5 TiB:

    part n holds  8 MiB + 132 KiB * max(0, n - 1000)  bytes

======================  ==========  =================
after this many bytes   part size   memory for parts
======================  ==========  =================
up to 8.4 GB            8 MiB       40 MiB
20 GB                   54 MiB      108 MiB
100 GB                  150 MiB     301 MiB
1 TB                    494 MiB     988 MiB
5 TiB                   1.1 GiB     2.3 GiB
======================  ==========  =================

Straight growth, not geometric: a part of constant *ratio* to what went before would need 690 MiB
at 1 TB and 3.6 GiB at 5 TiB, because it saves its 10,000 parts for the end.

Some providers take fewer parts (Scaleway: 1,000). The same straight growth then begins earlier and
is steeper, so that it reaches 5 TiB where parts of at most 5 GiB allow that, and else ends with a
part of 5 GiB. The price is memory:

======================  ==========  =================
with 1,000 parts        part size   memory for parts
======================  ==========  =================
up to 0.8 GB            8 MiB       40 MiB
1 GB                    42 MiB      84 MiB
10 GB                   315 MiB     629 MiB
100 GB                  1.0 GiB     2.0 GiB
1 TB                    3.2 GiB     6.4 GiB
2.2 TiB, the most       5.0 GiB     10 GiB
======================  ==========  =================

Cloudflare R2 refuses to complete an upload whose parts (but the last) differ in size, so it gets
equal parts, and objects of at most 312 GiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bounty_ops.environments.object_storage import MOST_PARTS

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB
TIB: Final = 1024 * GIB

SMALLEST_PART: Final = 5 * MIB
LARGEST_PART: Final = 5 * GIB
LARGEST_OBJECT: Final = 5 * TIB

_FIRST: Final = 8 * MIB
#: Steps are multiples of this, so that sizes stay readable in a provider's listing of parts.
_GRAIN: Final = 4 * KIB


@dataclass(frozen=True)
class PartSizes:
    """A rule for the size of part 1, 2, 3 ... of an upload."""

    first: int
    step: int = 0
    """How much larger each part is than the one before, once growth begins."""
    equal: int = 1000
    """How many parts have the size of the first one."""
    most: int = MOST_PARTS
    """How many parts there may be."""

    def of(self, number: int) -> int:
        """Return the bytes of part ``number``, counted from 1."""
        return self.first + self.step * max(0, number - self.equal)

    def capacity(self) -> int:
        """Return the size of the largest object that can be uploaded by this rule."""
        growing = max(0, self.most - self.equal)
        return self.first * self.most + self.step * growing * (growing + 1) // 2


def growing_parts(most: int = MOST_PARTS) -> PartSizes:
    """Return the rule that reaches the largest object, or else the largest part, in ``most``."""
    equal = most // 10
    growing = most - equal
    missing = LARGEST_OBJECT - _FIRST * most
    needed = -(-2 * missing // (growing * (growing + 1)))
    rounded = -(-needed // _GRAIN) * _GRAIN
    allowed = (LARGEST_PART - _FIRST) // growing // _GRAIN * _GRAIN
    return PartSizes(_FIRST, min(rounded, allowed), equal, most)


GROWING: Final = growing_parts()
EQUAL: Final = PartSizes(first=32 * MIB)


def part_sizes_for(endpoint_url: str | None, most_parts: int = MOST_PARTS) -> PartSizes:
    """Return the rule that the store behind an endpoint accepts."""
    host = urlsplit(endpoint_url or "").hostname or ""
    if host.endswith(".r2.cloudflarestorage.com"):
        return PartSizes(EQUAL.first, most=most_parts)
    return growing_parts(most_parts)
