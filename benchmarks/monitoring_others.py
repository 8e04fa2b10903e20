"""What others' metrics read of tables and indexes, to measure beside ours.

The columns and conditions are those of postgres_exporter's collectors and of pgwatch's metrics, as
published; the statements were written for this comparison.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

from typing import Final

#: postgres_exporter, collectors that are on by default: stat_user_tables, statio_user_tables.
EXPORTER: Final = (
    """SELECT current_database(), schemaname, relname, seq_scan, seq_tup_read, idx_scan,
        idx_tup_fetch, n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd, n_live_tup, n_dead_tup,
        n_mod_since_analyze, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze,
        vacuum_count, autovacuum_count, analyze_count, autoanalyze_count,
        pg_indexes_size(relid), pg_table_size(relid)
    FROM pg_stat_user_tables""",
    """SELECT current_database(), schemaname, relname, heap_blks_read, heap_blks_hit,
        idx_blks_read, idx_blks_hit, toast_blks_read, toast_blks_hit, tidx_blks_read, tidx_blks_hit
    FROM pg_statio_user_tables""",
)
#: The same with stat_user_indexes and statio_user_indexes, which have to be switched on.
EXPORTER_INDEXES: Final = (
    *EXPORTER,
    """SELECT current_database(), schemaname, relname, indexrelname, idx_scan, idx_tup_read,
        idx_tup_fetch
    FROM pg_stat_user_indexes""",
    """SELECT current_database(), schemaname, relname, indexrelname, idx_blks_read, idx_blks_hit
    FROM pg_statio_user_indexes""",
)
#: pgwatch, metrics table_stats (which keeps 300 tables), table_io_stats and index_stats.
PGWATCH: Final = (
    """SELECT s.schemaname, s.relname, pg_table_size(s.relid), pg_total_relation_size(s.relid),
        CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_total_relation_size(c.reltoastrelid) END,
        extract(epoch FROM now() - greatest(s.last_vacuum, s.last_autovacuum)),
        extract(epoch FROM now() - greatest(s.last_analyze, s.last_autoanalyze)),
        s.seq_scan, s.seq_tup_read, s.idx_scan, s.idx_tup_fetch, s.n_tup_ins, s.n_tup_upd,
        s.n_tup_del, s.n_tup_hot_upd, s.n_live_tup, s.n_dead_tup, s.vacuum_count,
        s.autovacuum_count, s.analyze_count, s.autoanalyze_count, age(c.relfrozenxid)
    FROM pg_stat_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid
    WHERE NOT EXISTS (SELECT FROM pg_locks AS l WHERE l.relation = s.relid
        AND l.mode = 'AccessExclusiveLock' AND l.granted)
    ORDER BY pg_total_relation_size(s.relid) DESC LIMIT 300""",
    """SELECT schemaname, relname, heap_blks_read, heap_blks_hit, idx_blks_read, idx_blks_hit,
        toast_blks_read, toast_blks_hit, tidx_blks_read, tidx_blks_hit
    FROM pg_statio_user_tables ORDER BY heap_blks_read + heap_blks_hit DESC LIMIT 300""",
    """SELECT s.schemaname, s.indexrelname, s.relname, s.idx_scan, s.idx_tup_read, s.idx_tup_fetch,
        pg_relation_size(s.indexrelid), i.indisvalid, i.indisprimary, i.indisunique,
        md5(pg_get_indexdef(s.indexrelid))
    FROM pg_stat_user_indexes AS s JOIN pg_index AS i USING (indexrelid)
    ORDER BY pg_relation_size(s.indexrelid) DESC LIMIT 300""",
)
