-- What DuckDB is asked otherwise than the others.

