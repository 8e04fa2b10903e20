"""What becomes of a value that is masked: SQL that turns it into its pseudonym."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql

if TYPE_CHECKING:
    from bounty_ops.restore.masking import MaskedColumn

#: Made in the session that masks; the key is its setting `bounty_ops.mask_key`.
FUNCTIONS: Final = (
    """
CREATE FUNCTION pg_temp.mask(value text) RETURNS text LANGUAGE sql STABLE STRICT AS $$
  SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
    pg_catalog.current_setting('bounty_ops.mask_key') || value, 'UTF8')), 'hex') $$
""",
    # Numbers of seven digits may be a telephone's or an account's. Keys may be anything as well.
    """
CREATE FUNCTION pg_temp.mask_json(value jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
  RETURN CASE pg_catalog.jsonb_typeof(value)
    WHEN 'string' THEN pg_catalog.to_jsonb('masked-'
                       || pg_catalog.substr(pg_temp.mask(value #>> '{}'), 1, 16))
    WHEN 'number' THEN CASE WHEN pg_catalog.abs((value #>> '{}')::numeric) < 1000000
                            THEN value ELSE '0' END
    WHEN 'array' THEN coalesce((SELECT pg_catalog.jsonb_agg(pg_temp.mask_json(one) ORDER BY n)
        FROM pg_catalog.jsonb_array_elements(value) WITH ORDINALITY AS each (one, n)), '[]')
    WHEN 'object' THEN coalesce((SELECT pg_catalog.jsonb_object_agg(
        CASE WHEN name ~ '^[A-Za-z_][A-Za-z_]{0,40}$' THEN name
             ELSE 'masked-' || pg_catalog.substr(pg_temp.mask(name), 1, 16) END,
        pg_temp.mask_json(one))
        FROM pg_catalog.jsonb_each(value) AS each (name, one)), '{}')
    ELSE value END;
END $$
""",
)
#: What a value becomes; {hash} is the hash of its text.
_FORMS: Final = {
    "email": "'user-' || pg_catalog.substr({hash}, 1, 16) || '@masked.invalid'",
    "name": "'Person ' || pg_catalog.substr({hash}, 1, 16)",
    "handle": "'user-' || pg_catalog.substr({hash}, 1, 16)",
    "token": "'masked-' || pg_catalog.substr({hash}, 1, 32)",
    "url": "'https://masked.invalid/' || pg_catalog.substr({hash}, 1, 16)",
    "text": "'Masked text ' || pg_catalog.substr({hash}, 1, 16)",
    # 2001:db8::/32 is for documentation (RFC 3849).
    "ip": "'2001:db8:' || pg_catalog.regexp_replace(pg_catalog.substr({hash}, 1, 24),"
    " '(....)(?!$)', '\\1:', 'g')",
}


def expression(column: MaskedColumn) -> sql.Composable:
    """What a column is set to."""
    name, kind = sql.Identifier(column.column), sql.SQL(column.type)
    if column.rule == "null":
        return sql.SQL("NULL")
    if column.rule == "json":
        return sql.SQL("pg_temp.mask_json({}::jsonb)::{}").format(name, kind)
    if column.type.endswith("[]"):
        return sql.SQL(
            "CASE WHEN {name} IS NOT NULL THEN ARRAY(SELECT {form}"
            " FROM pg_catalog.unnest({name}) WITH ORDINALITY AS each (one, n) ORDER BY n)::{kind}"
            " END"
        ).format(name=name, form=_form(column.rule, sql.SQL("one")), kind=kind)
    # What is empty says nothing, and programs treat it like what is missing.
    return sql.SQL("CASE WHEN {name}::text = '' THEN {name} ELSE ({form})::{kind} END").format(
        name=name, form=_form(column.rule, name), kind=kind
    )


def _form(rule: str, value: sql.Composable) -> sql.Composable:
    hashed = sql.SQL("pg_temp.mask({}::text)").format(value)
    return sql.SQL(_FORMS[rule]).format(hash=hashed)
