"""Which words the dialect knows, and which of them may serve as names without quotes."""

from __future__ import annotations

RESERVED = frozenset(
    """
    ADVANCE ALL AND AS AT BEGINNING BETWEEN BY CASE CAST CATALOG CONNECTOR CONNECTORS CREATE DAYS DECIMAL
    DELETE DESCRIBE DISTINCT DROP ELSE END EXISTS EXPORT EXTENDED FALSE FROM FULL GROUP HAVING HOPPING HOURS
    IN INNER INSERT INTO IS JOIN LEFT LIKE LIMIT LIST LOAD MATERIALIZED MILLISECOND MILLISECONDS MINUTES MONTHS
    NAMESPACE NOT NULL ON OR OUTER PAUSE PRINT PROPERTIES QUERIES QUERY RENAME RESUME RETENTION RIGHT RUN
    SAMPLE SCRIPT SECONDS SELECT SIZE STREAM STREAMS TABLE TERMINATE THEN TO TOPIC TOPICS TRUE TUMBLING
    UNSET VALUES VIEW WHEN WHERE WINDOW WITH WITHIN YEARS
    """.split()  # noqa: SIM905  # a table of words
)
"""Words that are no names unless they are quoted."""

CONTEXTUAL = frozenset(
    """
    ADD ALTER ARRAY ASSERT CHANGES COLUMN DAY DEFINE EMIT ESCAPE EXPLAIN FINAL FUNCTION FUNCTIONS GRACE HEADER
    HEADERS HOUR ID IF INTERVAL KEY MAP MINUTE PARTITION PERIOD PLUGINS PRIMARY REPLACE SCHEMA SECOND SESSION SET
    SHOW SINK SOURCE STRUCT SUBJECT SYSTEM TABLES TIMEOUT TYPE TYPES UNDEFINE VARIABLES
    """.split()  # noqa: SIM905  # a table of words
)
"""Words with a meaning in some places that are names everywhere else."""

CONSTRUCTORS = frozenset({"ARRAY", "MAP", "STRUCT"})

FOLLOWED_BY = {
    "EMIT": frozenset({"CHANGES", "FINAL"}),
    "GRACE": frozenset({"PERIOD"}),
    "PARTITION": frozenset({"BY"}),
    "ESCAPE": frozenset({"STRING"}),
    "SESSION": frozenset({"LPAR"}),
    "IF": frozenset({"NOT", "EXISTS"}),
    "TIMEOUT": frozenset({"INTEGER"}),
    "SUBJECT": frozenset({"STRING", "IDENTIFIER"}),
    "ID": frozenset({"INTEGER"}),
    "ARRAY": frozenset({"LESS", "LSQB"}),
    "MAP": frozenset({"LESS", "LPAR"}),
    "STRUCT": frozenset({"LESS", "LPAR", "NOT_EQUAL"}),
    "HEADER": frozenset({"LPAR"}),
}
"""Contextual words that are keywords only before one of these tokens."""

PRECEDED_BY = {
    "TABLES": frozenset({"SHOW", "LIST", "DESCRIBE"}),
    "VARIABLES": frozenset({"SHOW", "LIST"}),
    "PERIOD": frozenset({"GRACE"}),
    "FUNCTIONS": frozenset({"SHOW", "LIST"}),
    "TYPES": frozenset({"SHOW", "LIST"}),
    "FUNCTION": frozenset({"DESCRIBE"}),
    "TYPE": frozenset({"CREATE", "DROP"}),
    "SYSTEM": frozenset({"ALTER"}),
    "REPLACE": frozenset({"OR"}),
    "SCHEMA": frozenset({"ASSERT", "EXISTS"}),
    "SUBJECT": frozenset({"SCHEMA"}),
    "PLUGINS": frozenset({"CONNECTOR"}),
    "CHANGES": frozenset({"EMIT"}),
    "FINAL": frozenset({"EMIT"}),
    "COLUMN": frozenset({"ADD", "COMMA"}),
}
"""Contextual words that are keywords only after one of these tokens."""

STATEMENT_STARTS = (
    "SELECT",
    "CREATE",
    "INSERT",
    "DROP",
    "SHOW",
    "LIST",
    "DESCRIBE",
    "EXPLAIN",
    "PRINT",
    "TERMINATE",
    "PAUSE",
    "RESUME",
    "SET",
    "UNSET",
    "DEFINE",
    "UNDEFINE",
    "ASSERT",
    "ALTER",
    "RUN",
    "EXPORT",
)
"""First words of statements, for "Did you mean …?"."""

AT_START_ONLY = frozenset({"SHOW", "EXPLAIN", "SET", "ASSERT", "ALTER", "DEFINE", "UNDEFINE"})
"""Contextual words that are keywords only at the start of a statement."""
