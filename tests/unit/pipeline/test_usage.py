"""What commands refuse before they ask any server."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main


@pytest.mark.parametrize("option", ["--reason", "--connector", "--user"])
def test_an_empty_filter_chooses_no_letters_to_discard(option: str) -> None:
    outcome = CliRunner().invoke(main, ["dlq", "discard", option, "", "--why", "tired of them"])
    assert outcome.exit_code == 2
    assert "which letters? Name a filter, or --all" in outcome.output


@pytest.mark.parametrize("sql", ["LIST STREAMS; DROP TABLE x;", "SELECT 1;\nSELECT 2", "PRINT 'a'; PRINT 'b';"])
def test_a_query_is_one_statement(sql: str) -> None:
    outcome = CliRunner().invoke(main, ["query", sql])
    assert outcome.exit_code == 2
    assert "one statement at a time" in outcome.output


def test_a_quote_that_is_not_closed_is_no_query() -> None:
    assert CliRunner().invoke(main, ["query", "SELECT 'a FROM b;"]).exit_code == 2


def test_nobody_has_an_empty_id() -> None:
    outcome = CliRunner().invoke(main, ["erase", "", "--yes"])
    assert outcome.exit_code == 2
    assert "USER is empty" in outcome.output


def test_debugging_shows_the_traceback_and_keeps_the_exit_code(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(main, ["--debug", "--profile", "none-such", "--project", str(tmp_path), "plan"])
    assert outcome.exit_code == 2
    assert "Traceback" in outcome.stderr
    assert "error:" in outcome.stderr
