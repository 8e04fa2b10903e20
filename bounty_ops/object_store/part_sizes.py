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

Cloudflare R2 refuses to complete an upload whose parts (but the last) differ in size, so it gets
equal parts, and objects of at most 312 GiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB
TIB: Final = 1024 * GIB

#: Of S3, and of every store that is compatible with it as far as we know.
MOST_PARTS: Final = 10_000
SMALLEST_PART: Final = 5 * MIB
LARGEST_PART: Final = 5 * GIB


@dataclass(frozen=True)
class PartSizes:
    """A rule for the size of part 1, 2, 3 ... of an upload."""

    first: int
    step: int = 0
    """How much larger each part is than the one before, once growth begins."""
    equal: int = 1000
    """How many parts have the size of the first one."""

    def of(self, number: int) -> int:
        """Return the bytes of part ``number``, counted from 1."""
        return self.first + self.step * max(0, number - self.equal)

    def capacity(self) -> int:
        """Return the size of the largest object that can be uploaded by this rule."""
        growing = MOST_PARTS - self.equal
        return self.first * MOST_PARTS + self.step * growing * (growing + 1) // 2


GROWING: Final = PartSizes(first=8 * MIB, step=132 * KIB)
EQUAL: Final = PartSizes(first=32 * MIB)


def part_sizes_for(endpoint_url: str | None) -> PartSizes:
    """Return the rule that the store behind an endpoint accepts."""
    host = urlsplit(endpoint_url or "").hostname or ""
    return EQUAL if host.endswith(".r2.cloudflarestorage.com") else GROWING
