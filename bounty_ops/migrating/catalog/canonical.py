"""One form for what PostgreSQL 14 to 18 write in different ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.postgres.definitions import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Facts that hold an expression or a definition made of expressions.
_EXPRESSIONS: Final = frozenset(
    {"definition", "expression", "generated", "default", "using", "with check"}
)


def canonical(aspect: str, text: str, *, query: bool = False) -> str:
    """The form in which a fact is compared.

    Args:
        aspect: which fact.
        text: as the server wrote it.
        query: whether it is, or holds, a query that the server has parsed.
    """
    if aspect not in _EXPRESSIONS:
        return text
    moved = normalised(text)
    return _query(moved) if query and aspect == "definition" else moved


def _query(text: str) -> str:
    """A query word by word.

    Up to PostgreSQL 15 the columns of a view on one table are written ``bounty.title``; since 16
    they are written ``title``.
    """
    from pglast import parser  # noqa: PLC0415 - slow to import, and most databases have no view

    # Offsets count bytes.
    data = text.encode()
    try:
        tokens = parser.scan(text)
        alias = _only_source(text)
    except parser.ParseError:
        return text  # a newer server's grammar: compared as it stands
    words = [data[token.start : token.end + 1].decode() for token in tokens]
    return " ".join(_without_prefix(words, alias))


def _only_source(text: str) -> str | None:
    """The name by which a query that reads one table calls it, quoted as it would be written."""
    import pglast  # noqa: PLC0415 - as above
    from pglast import ast  # noqa: PLC0415

    statement = pglast.parse_sql(text)[0].stmt
    sources = statement.fromClause or () if isinstance(statement, ast.SelectStmt) else ()
    source = sources[0] if len(sources) == 1 else None
    if not isinstance(source, ast.RangeVar):
        return None
    name = source.alias.aliasname if source.alias is not None else source.relname
    return str(name)


def _without_prefix(words: Sequence[str], alias: str | None) -> list[str]:
    if alias is None:
        return list(words)
    names = {alias, '"' + alias.replace('"', '""') + '"'}
    kept: list[str] = []
    position = 0
    while position < len(words):
        prefix = words[position] in names and words[position + 1 : position + 2] == ["."]
        if prefix and (not kept or kept[-1] != "."):
            position += 2
            continue
        kept.append(words[position])
        position += 1
    return kept
