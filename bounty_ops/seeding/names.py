"""Names of people in twenty languages and nine scripts, each with its form in ASCII."""
# ruff: noqa: RUF001 - names in their own scripts are the point

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENGLISH_SHARE: Final = 4  # how often English names stand among the others


@dataclass(frozen=True, slots=True)
class Language:
    """Names that go together, as they are written and in ASCII."""

    given: Mapping[str, str]
    family: Mapping[str, str]


LANGUAGES: Final = (
    # English, first and most often
    Language(
        given={
            "Ada": "ada",
            "Grace": "grace",
            "Oliver": "oliver",
            "Hannah": "hannah",
            "Marcus": "marcus",
            "Ruth": "ruth",
            "Theo": "theo",
            "Imogen": "imogen",
            "Caleb": "caleb",
            "Nora": "nora",
            "Dwayne": "dwayne",
            "Priya": "priya",
            "Jo": "jo",
            "Bartholomew-Alexander": "bart",
        },
        family={
            "Whitfield": "whitfield",
            "Okafor": "okafor",
            "O'Brien": "obrien",
            "Marsh": "marsh",
            "Lindqvist": "lindqvist",
            "Hargreaves": "hargreaves",
            "Bell": "bell",
            "van der Berg": "vanderberg",
            "Castellanos": "castellanos",
            "Young": "young",
            "McAllister": "mcallister",
            "Park": "park",
        },
    ),
    # Spanish and Portuguese
    Language(
        given={"José": "jose", "Fátima": "fatima", "João": "joao", "Begoña": "begona"},
        family={"Núñez": "nunez", "Gonçalves": "goncalves", "García Ruiz": "garciaruiz"},
    ),
    # French and German, one of them in decomposed form
    Language(
        given={"Zoe\u0308": "zoe", "François": "francois", "Jürgen": "juergen", "Aimée": "aimee"},
        family={"Lefèvre": "lefevre", "Großmann": "grossmann", "Müller-Lüdenscheidt": "mueller"},
    ),
    # Polish, Czech, Turkish: letters whose case is not what ASCII thinks
    Language(
        given={"Łukasz": "lukasz", "Jiří": "jiri", "İpek": "ipek", "Ayşe": "ayse"},
        family={"Wiśniewska": "wisniewska", "Dvořák": "dvorak", "Yıldırım": "yildirim"},
    ),
    # Ukrainian and Greek
    Language(
        given={"Олена": "olena", "Тарас": "taras", "Σοφία": "sofia", "Γιώργος": "giorgos"},
        family={"Шевченко": "shevchenko", "Коваль": "koval", "Παπαδόπουλος": "papadopoulos"},
    ),
    # Arabic, Persian, Hebrew: right to left
    Language(
        given={"محمد": "mohammed", "فاطمة": "fatma", "آرش": "arash", "נועה": "noa"},
        family={"الخطيب": "alkhatib", "رضایی": "rezaei", "כהן": "cohen"},
    ),
    # Hindi, Tamil, Vietnamese: combining marks
    Language(
        given={"अर्जुन": "arjun", "लक्ष्मी": "lakshmi", "தமிழ்": "tamil", "Thu\u031b\u0301": "thu"},
        family={"शर्मा": "sharma", "குமார்": "kumar", "Nguyê\u0303n": "nguyen"},
    ),
    # Japanese, Chinese, Korean, and one outside the basic plane
    Language(
        given={"美咲": "misaki", "伟": "wei", "지우": "jiwoo", "𠮷子": "yoshiko"},
        family={"佐藤": "sato", "王": "wang", "김": "kim"},
    ),
)


def full_names() -> list[tuple[str, str]]:
    """All (full name, its ASCII form with a dot) pairs, given and family of one language."""
    found: list[tuple[str, str]] = []
    for language in LANGUAGES:
        pairs = [
            (f"{given} {family}", f"{given_ascii}.{family_ascii}")
            for given, given_ascii in language.given.items()
            for family, family_ascii in language.family.items()
        ]
        found.extend(pairs * (_ENGLISH_SHARE if language is LANGUAGES[0] else 1))
    return found
