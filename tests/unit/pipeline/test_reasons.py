"""Why a record failed, in words that are the same for all records that failed alike."""

from __future__ import annotations

import pytest

from pipeline.dead_letters.reasons import normalise_reason


@pytest.mark.parametrize(
    ("error_type", "sql_state", "message", "reason"),
    [
        (
            "useranalytics.connect.RefusedRecordException",
            "23514",
            'SQLState 23514: ERROR: new row for relation "t" violates check constraint "t_check"\n  Detail: …',
            '23514 violates check constraint "t_check"',
        ),
        (
            "useranalytics.connect.RefusedRecordException",
            "22P02",
            'SQLState 22P02: ERROR: invalid input syntax for type uuid: "no-uuid"',
            '22P02 invalid input syntax for type uuid: "…"',
        ),
        (
            "useranalytics.connect.RefusedRecordException",
            None,
            "the key is null: records of topic user-events need one",
            "RefusedRecordException the key is null: records of topic user-events need one",
        ),
        (
            "java.lang.ArrayIndexOutOfBoundsException",
            None,
            "Index 0 out of bounds for length 0",
            "not Confluent's wire format: shorter than its five bytes",
        ),
        (
            "java.io.UncheckedIOException",
            None,
            "java.io.EOFException",
            "truncated: the Avro ends before its schema does",
        ),
        ("some.Outer$Inner", None, None, "Inner"),
    ],
)
def test_a_reason_names_what_went_wrong_and_no_single_record(
    error_type: str, sql_state: str | None, message: str | None, reason: str
) -> None:
    assert normalise_reason(error_type, sql_state, message) == reason
