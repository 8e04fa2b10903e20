-- Dagster keeps a database of its own; the first one, bounty_ops, is made by the image.
CREATE DATABASE dagster;
