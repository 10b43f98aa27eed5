from __future__ import annotations

from pipeline.cli.reference import reference
from tests.conftest import ROOT


def test_the_command_reference_is_what_the_command_line_says_of_itself() -> None:
    written = (ROOT / "docs" / "commands.md").read_text()
    assert written == reference(), "run: make reference"


def test_every_command_and_option_says_what_it_does() -> None:
    for line in reference().splitlines():
        assert not line.endswith("| |"), line
