"""Copies with other rows than the source: each must be refuted.

A case is a label, the kind of difference that must be told, and the statements that change the
restored copy.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Change(NamedTuple):
    """A copy that is not what was backed up."""

    label: str
    kind: str
    """Of a difference that must be among those told."""
    statements: tuple[str, ...]


def _value(label: str, column: str, expression: str) -> Change:
    """One value of one row is another one."""
    statement = f"UPDATE corpus.kept SET {column} = {expression} WHERE id = 3"
    return Change(f"value: {label}", "content", (statement,))


def _rows(label: str, kind: str, *statements: str) -> Change:
    return Change(f"rows: {label}", kind, statements)


ONE_VALUE: Final = (
    _value("text, one letter", "words", "'ward 3'"),
    _value("text, a blank at the end", "words", "words || ' '"),
    _value("text, a blank in front", "words", "' ' || words"),
    _value("text, upper case", "words", "upper(words)"),
    _value("text, a line feed at the end", "words", r"words || E'\n'"),
    _value("text, CR LF for LF", "words", r"E'a\r\nb'"),
    _value("text, empty for NULL", "words", "''"),
    _value("text, NULL", "words", "NULL"),
    _value("text, the word NULL", "words", "'NULL'"),
    _value("text, copy's own NULL", "words", r"'\N'"),
    _value("text, a tab for blanks", "words", r"E'word\t3'"),
    _value("text, a no-break space", "words", r"U&'word\00A03'"),
    _value("unicode, decomposed", "words_c", r"U&'cafe\0301'"),
    _value("unicode, no accent", "words_c", "'cafe'"),
    _value("unicode, a look-alike letter", "words_c", r"U&'\0441af\00E9'"),
    _value("unicode, a byte order mark", "words_c", r"U&'\FEFFcaf\00E9'"),
    _value("unicode, a zero-width space", "words_c", r"U&'caf\200B\00E9'"),
    _value("unicode, read as Latin-1", "words_c", r"U&'caf\00C3\00A9'"),
    _value("unicode, a replacement character", "words_c", r"U&'caf\FFFD'"),
    _value("varchar, ss for sz", "short", "'Strasse'"),
    _value("char, another letter", "fixed", "'ac'"),
    _value("char, NULL for blanks", "fixed", "NULL"),
    _value('"char"', "code", "'r'"),
    _value("name", "label", "'nam'"),
    _value("smallint, one more", "small", "small + 1"),
    _value("integer, one bit", "whole", "whole # 1"),
    _value("integer, negative", "whole", "-whole"),
    _value("bigint, beyond a double", "large", "large + 1"),
    _value("numeric, more zeros", "exact", "4.500"),
    _value("numeric, fewer zeros", "exact", "4.5"),
    _value("numeric, a late digit", "exact", "4.50 + 1e-30"),
    _value("numeric, NaN", "exact", "'NaN'"),
    _value("numeric(12,4), last digit", "scaled", "1.5001"),
    _value("real, next one", "float4", "'0.10000001'"),
    _value("double, last bit", "float8", "0.3"),
    _value("double, minus zero", "float8", "'-0'"),
    _value("double, infinity", "float8", "'infinity'"),
    _value("boolean", "yes", "false"),
    _value("date, a day later", "day", "'2024-03-01'"),
    _value("date, infinity", "day", "'infinity'"),
    _value("time, a microsecond", "hour", "'12:00:00.000002'"),
    _value("time, 24:00 for 00:00", "hour", "'24:00'"),
    _value("timetz, same instant, other zone", "hour_tz", "'11:00+01'"),
    _value("timestamp, an hour", "moment", "moment + interval '1 hour'"),
    _value("timestamp, milliseconds only", "moment", "'2024-06-01 12:00:00.123'"),
    _value("timestamptz, two hours", "instant", "'2024-06-01 12:00:00.123456+02'"),
    _value("timestamptz, a microsecond", "instant", "instant + interval '1 microsecond'"),
    _value("interval, 30 days for a month", "span", "'30 days'"),
    _value("interval, a microsecond", "span", "'1 mon 00:00:00.000001'"),
    _value("bytea, one bit", "bytes", r"'\x00ff11'"),
    _value("bytea, a zero byte more", "bytes", r"'\x00ff1000'"),
    _value("bytea, empty", "bytes", "''"),
    _value("bytea, escaped twice", "bytes", r"'\\000\\377\\020'::text::bytea"),
    _value("bit, last one", "bits", "B'01010100'"),
    _value("bit varying, longer", "flags", "B'01010'"),
    _value("uuid, one digit", "key", "'00000000-0000-0000-0000-000000000002'"),
    _value("jsonb, a value", "doc", "jsonb_set(doc, '{a}', '2')"),
    _value("jsonb, a deep value", "doc", """jsonb_set(doc, '{c,d}', '"y"')"""),
    _value("jsonb, order in an array", "doc", "jsonb_set(doc, '{b}', '[2.50, 1, null]')"),
    _value("jsonb, scale of a number", "doc", "jsonb_set(doc, '{b,1}', '2.5')"),
    _value("jsonb, null for nothing", "doc", """doc || '{"z": null}'"""),
    _value("jsonb, text for number", "doc", """jsonb_set(doc, '{a}', '"1"')"""),
    _value("jsonb, JSON null for NULL", "doc", "'null'"),
    _value("json, white space", "raw", """'{"a": 1, "a": 2}'"""),
    _value("json, duplicate key lost", "raw", """'{"a": 2}'"""),
    _value("xml, attribute", "page", """'<a b="2">x</a>'"""),
    _value("hstore, NULL for a value", "pairs", "'a=>1, b=>2'"),
    _value("citext, other case", "ci", "'ci'"),
    _value("array, order", "tags", "ARRAY['', NULL, 'x', 'NULL']"),
    _value("array, empty for NULL", "tags", "ARRAY['x', '', '', 'NULL']"),
    _value("array, the word NULL", "tags", "ARRAY['x', NULL, '', NULL]"),
    _value("array, empty", "tags", "'{}'"),
    _value("array, lower bound", "grid", "'[0:1][1:2]={{1,2},{3,4}}'"),
    _value("array, transposed", "grid", "'{{1,3},{2,4}}'"),
    _value("array of instants", "stamps", "ARRAY[timestamptz '2024-06-01 01:00+00']"),
    _value("inet, mask", "net", "'10.0.0.1/16'"),
    _value("cidr", "block", "'10.0.0.0/9'"),
    _value("macaddr", "mac", "'08:00:2b:01:02:04'"),
    _value("enum", "size", "'l'"),
    _value("enums in an array", "sizes", "'{l,s}'"),
    _value("composite, a part", "pair", "ROW(1, 'x')"),
    _value("composite, NULL for empty", "pair", "ROW(1, NULL)"),
    _value("composite, NULL for all of it", "pair", "NULL"),
    _value("range, a bound", "range", "'[1,6)'"),
    _value("range, empty", "range", "'empty'"),
    _value("multirange, joined", "ranges", "'{[1,7)}'"),
    _value("range of words, inclusive", "between_words", "'[a,b]'"),
    _value("domain", "positive", "8"),
    _value("point", "point", "'(1,2.0000000000000004)'"),
    _value("tsvector, weight", "vector", "'a:1 b:2'"),
    _value("tsquery, operator", "query", "'a | b'"),
    _value("money, a cent", "pay", "'12.35'"),
    *(
        _value(f"NULL in {column}", column, "NULL")
        for column in ("exact", "yes", "instant", "bytes", "doc", "tags", "key", "size", "large")
    ),
)

ROWS: Final = (
    _rows("one is missing", "rows", "DELETE FROM corpus.kept WHERE id = 5"),
    _rows("the one of NULLs is missing", "rows", "DELETE FROM corpus.kept WHERE id = 6"),
    _rows("one more", "rows", "INSERT INTO corpus.kept (id) VALUES (7)"),
    _rows("another id", "content", "UPDATE corpus.kept SET id = 60 WHERE id = 6"),
    _rows("none is left", "rows", "TRUNCATE corpus.kept"),
    _rows("none is left of a table of large objects", "rows", "SELECT lo_unlink(70001)"),
    _rows(
        "one of several equal ones is missing",
        "rows",
        "DELETE FROM corpus.many WHERE ctid = (SELECT min(ctid) FROM corpus.many)",
    ),
    _rows(
        "an equal one more",
        "rows",
        "INSERT INTO corpus.many SELECT * FROM corpus.many WHERE ctid = '(0,1)'",
    ),
    _rows(
        "one twice instead of two different ones",
        "content",
        "DELETE FROM corpus.many WHERE ctid = '(0,1)'",
        "INSERT INTO corpus.many SELECT * FROM corpus.many WHERE ctid = '(0,2)'",
    ),
    _rows("two columns swapped in all", "content", "UPDATE corpus.many SET a = b, b = a"),
    _rows(
        "two columns swapped in one",
        "content",
        "UPDATE corpus.many SET a = b, b = a WHERE ctid = (SELECT min(ctid) FROM corpus.many"
        " WHERE a <> b)",
    ),
    _rows(
        "one column's values swapped between two",
        "content",
        "UPDATE corpus.many SET b = CASE b WHEN 1 THEN 2 ELSE 1 END"
        " WHERE ctid IN ('(0,1)', '(0,2)')",
    ),
    _rows(
        "NULL and empty change places",
        "content",
        "UPDATE corpus.many SET c = CASE WHEN c IS NULL THEN '' END WHERE c IS NULL OR c = ''",
    ),
    _rows(
        "a value moves to the next column",
        "content",
        "UPDATE corpus.many SET a = b, b = NULL WHERE a IS NULL AND b = 1",
    ),
    _rows(
        "columns have each other's names",
        "content",
        "ALTER TABLE corpus.many RENAME a TO x",
        "ALTER TABLE corpus.many RENAME b TO a",
        "ALTER TABLE corpus.many RENAME x TO b",
    ),
    _rows(
        "two tables have each other's names",
        "content",
        "ALTER TABLE corpus.parted_1 RENAME TO x",
        "ALTER TABLE corpus.parted_2 RENAME TO parted_1",
        "ALTER TABLE corpus.x RENAME TO parted_2",
    ),
    _rows(
        "a partition's row is in the other one",
        "rows",
        "UPDATE corpus.parted SET part = 1 WHERE id = 1",
    ),
    _rows("a partition's row", "content", "UPDATE corpus.parted SET body = 'x' WHERE id = 2"),
    _rows("a child's row", "content", "UPDATE app.grandchild SET more = 4.1"),
    _rows("an unlogged table is empty", "rows", "TRUNCATE app.unlogged"),
    _rows("a row without columns more", "rows", "INSERT INTO app.without_columns DEFAULT VALUES"),
    _rows(
        "a table whose name has quotes in it",
        "content",
        """UPDATE "Zoo Größe ""quoted\"""."Tisch mit ""Namen"" 🐘" SET "ü" = 'x'"""
        """ WHERE "ü" IS NULL""",
    ),
    _rows(
        "a foreign key points elsewhere",
        "content",
        "UPDATE corpus.ordered SET parent = 2 WHERE id = 10",
    ),
    _rows(
        "a time with default",
        "content",
        "UPDATE corpus.ordered SET made = DEFAULT, note = 'late' WHERE id = 9",
    ),
    _rows("bytes of a large object", "content", "SELECT lo_put(70002, 1000000, 'x')"),
    _rows("one byte at the end of a large object", "content", "SELECT lo_put(70003, 1500016, 'x')"),
    _rows("bytes in the hole of a large object", "content", "SELECT lo_put(70003, 5000, 'x')"),
    _rows("a large object is missing", "rows", "SELECT lo_unlink(70003)"),
    _rows(
        "a large object is another one's",
        "content",
        "SELECT lo_unlink(70001)",
        "SELECT lo_create(70009)",
    ),
    _rows("an empty large object is not empty", "content", "SELECT lo_put(70001, 0, 'x')"),
    _rows(
        "a large object is cut", "content", "SELECT lo_truncate(lo_open(70002, 131072), 1000000)"
    ),
)
