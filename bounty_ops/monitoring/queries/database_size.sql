-- The size of the whole database; it looks at every file, and locks no relation.
SELECT pg_catalog.pg_database_size(pg_catalog.current_database()) AS size_bytes
