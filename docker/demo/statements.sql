-- Run once, when the demo's database is made.
CREATE EXTENSION pg_stat_statements;
