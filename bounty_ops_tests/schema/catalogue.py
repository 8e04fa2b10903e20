"""Everything that a database consists of, read from PostgreSQL's own catalogs as flat facts.

A fact is a name and a text: ``("column", "public.user.email", "nullable") -> "false"``. Two
databases are alike when their facts are equal; what only one of them has, or has otherwise, shows
up by name. SQLAlchemy's reflection is not used: it does not see enum order, operator classes,
match types, stray functions and much else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

Fact = tuple[str, str, str]
Facts = dict[Fact, str]

_OURS = """
    n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%%'
"""

#: What the runner writes down beside the version table; empty or not, it is nobody's schema.
_BOOKKEEPING = ("bounty_ops.applied_revision", "bounty_ops.revision_step")

# Every query gives: kind, name, and a JSON object of aspects.
_QUERIES = (
    f"""
    SELECT 'schema', n.nspname, '{{"there": true}}'::jsonb
    FROM pg_namespace n WHERE {_OURS}
    """,
    f"""
    SELECT 'relation', n.nspname || '.' || c.relname, jsonb_build_object(
        'kind', c.relkind, 'persistence', c.relpersistence, 'options', c.reloptions,
        'partition', c.relispartition, 'row security', c.relrowsecurity,
        'replica identity', CASE WHEN c.relkind = 'r' THEN c.relreplident END)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS}
    """,
    f"""
    SELECT 'column', n.nspname || '.' || c.relname || '.' || a.attname, jsonb_build_object(
        'position', row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),  -- no gaps
        'type', format_type(a.atttypid, a.atttypmod),
        'nullable', NOT a.attnotnull, 'identity', a.attidentity, 'generated', a.attgenerated,
        'collation', (SELECT collname FROM pg_collation WHERE oid = a.attcollation),
        'default', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
                    WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
      AND a.attnum > 0 AND NOT a.attisdropped
    """,
    f"""
    SELECT 'constraint', n.nspname || '.' || c.relname || '.' || k.conname, jsonb_build_object(
        'kind', k.contype, 'columns', columns.names,
        'referred table', k.confrelid::regclass::text, 'referred columns', referred.names,
        'on delete', nullif(k.confdeltype, ' '), 'on update', nullif(k.confupdtype, ' '),
        'match', nullif(k.confmatchtype, ' '),
        'deferrable', k.condeferrable, 'deferred', k.condeferred, 'validated', k.convalidated,
        'expression', pg_get_expr(k.conbin, k.conrelid))
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(a.attname ORDER BY u.place) AS names
        FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) columns
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(a.attname ORDER BY u.place) AS names
        FROM unnest(k.confkey) WITH ORDINALITY u(number, place)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number) referred
    WHERE {_OURS}
      AND k.contype <> 'n'  -- since 18 NOT NULL has an entry too; the column's fact says the same
    """,
    f"""
    SELECT 'index', n.nspname || '.' || c.relname, jsonb_build_object(
        'table', i.indrelid::regclass::text, 'method', m.amname, 'unique', i.indisunique,
        'primary', i.indisprimary, 'valid', i.indisvalid AND i.indisready,
        'key columns', i.indnkeyatts, 'predicate', pg_get_expr(i.indpred, i.indrelid),
        'nulls not distinct',
            coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),  -- since 15
        'entries', entries.parts)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_array(
            pg_get_indexdef(i.indexrelid, g.place + 1, false), o.opcname, i.indoption[g.place])
            ORDER BY g.place) AS parts
        FROM generate_series(0, i.indnatts - 1) g(place)
        LEFT JOIN pg_opclass o ON o.oid = i.indclass[g.place]) entries
    WHERE {_OURS}
    """,
    f"""
    SELECT 'enum', n.nspname || '.' || t.typname, jsonb_build_object(
        'labels', (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder)
                   FROM pg_enum e WHERE e.enumtypid = t.oid))
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE {_OURS} AND t.typtype = 'e'
    """,
    f"""
    SELECT 'type', n.nspname || '.' || t.typname, jsonb_build_object('kind', t.typtype)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE {_OURS} AND t.typtype <> 'e' AND t.typrelid = 0
      AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)
    """,
    f"""
    SELECT 'function', p.oid::regprocedure::text, jsonb_build_object('body', p.prosrc)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_OURS}
    """,
    """
    SELECT 'trigger', t.tgrelid::regclass || '.' || t.tgname,
        jsonb_build_object('definition', pg_get_triggerdef(t.oid))
    FROM pg_trigger t WHERE NOT t.tgisinternal
    """,
    """
    SELECT 'rule', r.ev_class::regclass || '.' || r.rulename,
        jsonb_build_object('definition', pg_get_ruledef(r.oid))
    FROM pg_rewrite r WHERE r.oid >= 16384
    """,
    """
    SELECT 'policy', p.polrelid::regclass || '.' || p.polname, '{"there": true}'::jsonb
    FROM pg_policy p
    """,
    """
    SELECT 'extension', e.extname, '{"there": true}'::jsonb
    FROM pg_extension e WHERE e.extname <> 'plpgsql'
    """,
    """
    SELECT 'event trigger', e.evtname, '{"there": true}'::jsonb FROM pg_event_trigger e
    """,
)


def read_catalogue(connection: Connection[Any]) -> Facts:
    """Read every fact about the connection's database, in whatever transaction it is."""
    facts: Facts = {}
    for query in _QUERIES:
        for kind, name, aspects in connection.execute(query.replace("%%", "%").encode()):
            if name.startswith(_BOOKKEEPING):
                continue
            for aspect, value in aspects.items():
                if value is not None:
                    facts[kind, name, aspect] = _plain(value)
    return facts


def differences(expected: Facts, found: Facts) -> list[str]:
    """Return one line for each fact that is missing, unexpected or different."""
    return [
        f"{' '.join(key)}: expected {expected.get(key, 'nothing')}, "
        f"found {found.get(key, 'nothing')}"
        for key in sorted(expected.keys() | found.keys())
        if expected.get(key) != found.get(key)
    ]


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(_plain(part) for part in value)
    return str(value)
