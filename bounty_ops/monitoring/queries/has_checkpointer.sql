-- PostgreSQL 17 took checkpoints out of pg_stat_bgwriter.
SELECT pg_catalog.to_regclass('pg_catalog.pg_stat_checkpointer') IS NOT NULL
