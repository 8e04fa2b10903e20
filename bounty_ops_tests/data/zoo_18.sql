-- What came with PostgreSQL 18.
CREATE TABLE app.modern (
    id int4range,
    n integer NOT NULL NO INHERIT,
    doubled integer GENERATED ALWAYS AS (n * 2) VIRTUAL,
    hoped integer CONSTRAINT hope CHECK (hoped > 0) NOT ENFORCED,
    at daterange,
    CONSTRAINT no_overlap PRIMARY KEY (id, at WITHOUT OVERLAPS)
);
ALTER TABLE app.modern ADD CONSTRAINT later NOT NULL hoped NOT VALID;
INSERT INTO app.modern (id, n, hoped, at) VALUES ('[1,5)', 1, -1, '[2024-01-01,2024-02-01)');
