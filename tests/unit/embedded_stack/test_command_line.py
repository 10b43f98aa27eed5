from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from embedded.cli import main
from tests.conftest import ROOT

SHOW_STATUS = """
import sys
from embedded.cli import main
main(["--state-dir", sys.argv[1], "status", "--json"], standalone_mode=False)
print(sorted({"confluent_kafka", "jgo", "psycopg", "requests", "rich"} & sys.modules.keys()))
"""


def test_the_state_is_told_without_loading_what_starts_servers(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", SHOW_STATUS, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert outcome.stdout.splitlines() == ['{"servers": []}', "[]"]


def test_every_command_is_listed_but_the_supervisor() -> None:
    shown = CliRunner().invoke(main, ["--help"])
    assert [line.split()[0] for line in shown.output.partition("Commands:\n")[2].splitlines()] == [
        "down",
        "env",
        "export-connect",
        "status",
        "up",
    ]
    assert CliRunner().invoke(main, ["supervise", "--help"]).exit_code == 0


def test_an_error_is_one_line() -> None:
    outcome = CliRunner().invoke(main, ["--state-dir", "/dev/null/here", "status"])
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("error: cannot read /dev/null/here/state.json")
    assert len(outcome.stderr.splitlines()) == 1


def test_what_the_system_refuses_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    outcome = CliRunner().invoke(main, ["--state-dir", str(tmp_path), "down"])
    assert (outcome.exit_code, outcome.stderr) == (1, f"error: Is a directory: {tmp_path / 'lock'}\n")
