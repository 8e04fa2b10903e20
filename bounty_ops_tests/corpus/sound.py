"""Copies that are stored in another way and hold the same: each must be proved."""

from __future__ import annotations

from typing import Final, NamedTuple


class Sound(NamedTuple):
    """A copy that is equal to what was backed up."""

    label: str
    statements: tuple[str, ...]


def _sound(label: str, *statements: str) -> Sound:
    return Sound(f"sound: {label}", statements)


IN_TRANSACTION: Final = (
    _sound("just as it was restored"),
    _sound("rows written anew", "UPDATE corpus.kept SET words = words"),
    _sound(
        "rows in another order",
        "CREATE TEMP TABLE other ON COMMIT DROP AS SELECT * FROM corpus.many",
        "TRUNCATE corpus.many",
        "INSERT INTO corpus.many SELECT * FROM other ORDER BY md5(other::text || ctid::text)",
    ),
    _sound(
        "columns in another order",
        "ALTER TABLE corpus.many RENAME TO other",
        "CREATE TABLE corpus.many (c text, b integer, a integer)",
        "INSERT INTO corpus.many SELECT c, b, a FROM corpus.other",
        "DROP TABLE corpus.other",
        "GRANT SELECT (a) ON corpus.many TO zoo_reader",
    ),
    _sound(
        "a dropped column in front",
        "ALTER TABLE corpus.many ADD d text DEFAULT 'x'",
        "ALTER TABLE corpus.many DROP d",
    ),
    _sound(
        "dead rows in between",
        "INSERT INTO corpus.many SELECT g, g, 'dead' FROM generate_series(1, 500) g",
        "DELETE FROM corpus.many WHERE c = 'dead'",
    ),
    _sound("table rewritten", "ALTER TABLE corpus.kept ALTER words TYPE text USING words || ''"),
    _sound("clustered", "CLUSTER app.animal"),
    _sound(
        "index made anew",
        "DROP INDEX corpus.ordered_note",
        "CREATE INDEX ordered_note ON corpus.ordered (note) WHERE note IS NOT NULL",
    ),
    _sound(
        "index renamed and back",
        "ALTER INDEX corpus.ordered_note RENAME TO x",
        "ALTER INDEX corpus.x RENAME TO ordered_note",
    ),
    _sound("indexes built again", "REINDEX TABLE corpus.ordered"),
    _sound(
        "an index more that is half-built",
        "CREATE INDEX half ON corpus.many (a)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'corpus.half'::regclass",
    ),
    _sound(
        "foreign key made anew",
        "ALTER TABLE corpus.ordered DROP CONSTRAINT ordered_parent",
        "ALTER TABLE corpus.ordered ADD CONSTRAINT ordered_parent FOREIGN KEY (parent)"
        " REFERENCES corpus.ordered (id) ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE",
    ),
    _sound(
        "check made anew in other words",
        "ALTER TABLE corpus.ordered DROP CONSTRAINT ordered_amount_check",
        "ALTER TABLE corpus.ordered ADD CONSTRAINT ordered_amount_check"
        " CHECK (((amount) >= 0::numeric))",
    ),
    _sound(
        "a list of words as it is written back",
        "ALTER TABLE app.animal DROP CONSTRAINT animal_status_check",
        "ALTER TABLE app.animal ADD CONSTRAINT animal_status_check"
        """ CHECK (status::text = ANY (ARRAY['a'::varchar::text, ('it''s, ("b"]'::varchar)::text,"""
        " 'c'::varchar::text]))",
    ),
    _sound(
        "checked and made not valid again",
        "ALTER TABLE corpus.ordered VALIDATE CONSTRAINT checked_later",
        "ALTER TABLE corpus.ordered DROP CONSTRAINT checked_later",
        "ALTER TABLE corpus.ordered ADD CONSTRAINT checked_later CHECK (length(name) < 50)"
        " NOT VALID",
    ),
    _sound(
        "trigger made anew",
        "DROP TRIGGER stamp ON corpus.ordered",
        "CREATE TRIGGER stamp BEFORE INSERT ON corpus.ordered FOR EACH ROW"
        " EXECUTE PROCEDURE corpus.stamp()",
    ),
    _sound(
        "policy made anew",
        "DROP POLICY readers ON corpus.ordered",
        "CREATE POLICY readers ON corpus.ordered FOR SELECT TO zoo_reader USING (((amount < 50)))",
    ),
    _sound(
        "view made anew",
        "DROP VIEW corpus.cheap",
        "CREATE VIEW corpus.cheap AS SELECT ordered.id, ordered.name FROM corpus.ordered"
        " WHERE ordered.amount < 10",
    ),
    _sound(
        "function made anew",
        "DROP FUNCTION corpus.twice(integer)",
        "CREATE FUNCTION corpus.twice(i int) RETURNS int LANGUAGE sql IMMUTABLE"
        " AS $$SELECT i * 2$$",
    ),
    _sound("materialized view refreshed", "REFRESH MATERIALIZED VIEW app.summary"),
    _sound(
        "grants in another order",
        "REVOKE ALL ON corpus.ordered FROM zoo_reader",
        "GRANT INSERT ON corpus.ordered TO zoo_reader",
        "GRANT SELECT ON corpus.ordered TO zoo_reader",
    ),
    _sound(
        "default privileges written out",
        "GRANT ALL ON corpus.kept TO postgres",
        "GRANT EXECUTE ON FUNCTION corpus.twice TO PUBLIC",
    ),
    _sound(
        "owner changed and back",
        "ALTER TABLE corpus.many OWNER TO zoo_owner",
        "ALTER TABLE corpus.many OWNER TO postgres",
    ),
    _sound("comment said again", "COMMENT ON TABLE app.animal IS 'it''s all here'"),
    _sound(
        "an enum renamed and back",
        "ALTER TYPE corpus.size RENAME TO old",
        "ALTER TYPE corpus.old RENAME TO size",
    ),
    _sound(
        "partition detached and attached",
        "ALTER TABLE corpus.parted DETACH PARTITION corpus.parted_1",
        "ALTER TABLE corpus.parted ATTACH PARTITION corpus.parted_1 FOR VALUES IN (1)",
    ),
    _sound("statistics", "ANALYZE corpus.kept", "ANALYZE app.animal"),
    _sound("large object written in other pages", "SELECT lo_put(70002, 0, lo_get(70002))"),
    _sound("a temporary table", "CREATE TEMP TABLE x ON COMMIT DROP AS SELECT 1 AS one"),
    _sound(
        "an unused role's default privileges gone and back",
        "ALTER DEFAULT PRIVILEGES FOR ROLE zoo_owner IN SCHEMA app"
        " REVOKE SELECT ON TABLES FROM zoo_reader",
        "ALTER DEFAULT PRIVILEGES FOR ROLE zoo_owner IN SCHEMA app"
        " GRANT SELECT ON TABLES TO zoo_reader",
    ),
)

#: No transaction takes these back, or none may hold them; each has a copy of its own.
FOR_GOOD: Final = (
    _sound("VACUUM FULL", "VACUUM FULL"),
    _sound("VACUUM FREEZE and ANALYZE", "VACUUM (FREEZE, ANALYZE)"),
    _sound("REINDEX of all", "REINDEX SCHEMA corpus", "REINDEX SCHEMA app"),
    _sound("REINDEX CONCURRENTLY", "REINDEX TABLE CONCURRENTLY corpus.ordered"),
    _sound("sequence further on", "SELECT nextval('corpus.far')"),
    _sound("sequence far further on, downwards", "SELECT setval('app.downwards', -500)"),
    _sound("next value further on", "SELECT setval('corpus.ordered_id_seq', 62, false)"),
    _sound("next value handed out", "SELECT nextval('corpus.ordered_id_seq')"),
    _sound(
        "sequence that goes round",
        "SELECT setval('app.circular', 3)",
        "SELECT nextval('app.circular')",
    ),
    _sound("sequence used first", "SELECT nextval('app.untouched')"),
    *(
        _sound(f"database where {name} is {value}", f"ALTER DATABASE {{copy}} SET {name} = {value}")
        for name, value in (
            ("timezone", "'Asia/Kathmandu'"),
            ("datestyle", "'SQL, DMY'"),
            ("intervalstyle", "'iso_8601'"),
            ("extra_float_digits", "-10"),
            ("bytea_output", "'escape'"),
            ("search_path", "'corpus', 'app', 'public'"),
            ("quote_all_identifiers", "on"),
            ("xmlbinary", "'hex'"),
            ("array_nulls", "off"),
            ("standard_conforming_strings", "off"),
            ("row_security", "on"),
            ("default_transaction_isolation", "'serializable'"),
            ("enable_seqscan", "off"),
            ("client_encoding", "'LATIN1'"),
        )
    ),
)
