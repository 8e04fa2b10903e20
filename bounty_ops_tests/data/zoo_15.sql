-- What came with PostgreSQL 15.
CREATE TABLE app.distinct_nulls (a integer, UNIQUE NULLS NOT DISTINCT (a));
CREATE VIEW app.as_caller WITH (security_invoker = true) AS SELECT 1 AS one;
CREATE PUBLICATION whole FOR TABLES IN SCHEMA app;
CREATE PUBLICATION part FOR TABLE app.one (id) WHERE (id > 5 AND id < 99);
CREATE UNLOGGED SEQUENCE app.unlogged_sequence;
