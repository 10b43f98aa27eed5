"""What commands refuse before they ask any server."""

from __future__ import annotations


import pytest
from click.testing import CliRunner

from pipeline.cli.main import main


@pytest.mark.parametrize("option", ["--reason", "--connector", "--user"])
def test_an_empty_filter_chooses_no_letters_to_discard(option: str) -> None:
    outcome = CliRunner().invoke(main, ["dlq", "discard", option, "", "--why", "tired of them"])
    assert outcome.exit_code == 2
    assert "which letters? Name a filter, or --all" in outcome.output
