"""Every command in README and docs is run, but for blocks that say why they are not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.servers.postgres import find_runner
from tests.conftest import ROOT, Stack, read_environment, running_stack

_EXEMPT = "# not run by the tests: "
_README_EXEMPT = (
    "pipeline check --against",  # a clone need not have that branch; tests/unit/pipeline/test_check.py
    "source .venv/bin/activate",  # the tests' own Python is the one
    "pipeline up",  # runs already; tests/integration/embedded_stack
    "pipeline exporter",  # runs until it is stopped; tests/integration/monitoring
    "pipeline down",  # the next command needs the servers
)


def blocks(page: Path) -> list[str]:
    """Return the shell blocks of a page, at any indentation."""
    found = re.findall(r"^( *)```sh\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL)
    return ["\n".join(line.removeprefix(indent) for line in body.splitlines()) for indent, body in found]


def session() -> list[str]:
    """Return the commands of the README's session, without comments."""
    text = (ROOT / "README.md").read_text().partition("## A session\n\n")[2].partition("\n\n")[0]
    lines = [line.partition("  #")[0].strip() for line in text.splitlines()]
    assert len(lines) > 5
    return [line for line in lines if not line.startswith(_README_EXEMPT)]


PAGES = sorted(path for path in (ROOT / "docs").glob("*.md") if path.name != "commands.md")
COMMANDS = [(page.name, block) for page in PAGES for block in blocks(page) if not block.startswith(_EXEMPT)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a shell has after `eval "$(pipeline env)"` on a deployed stack with events, psql and our Python at hand."""
    with running_stack(tmp_path_factory.mktemp("documented")) as stack:
        for arguments in (["deploy"], ["produce", "--events", "500", "--mode", "session"], ["verify"]):
            outcome = stack.pipeline(*arguments)
            assert outcome.returncode == 0, outcome.stderr
        yield shell_environment(stack)


def shell_environment(stack: Stack) -> dict[str, str]:
    programs = [str(Path(sys.executable).parent), str(find_runner().programs), os.environ["PATH"]]
    return {
        **stack.environment,
        **read_environment(stack.state_dir / "environment"),
        "PATH": os.pathsep.join(programs),
        "PGCONNECT_TIMEOUT": "10",
    }


def run(script: str, environment: dict[str, str]) -> None:
    outcome = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert outcome.returncode == 0, f"{script}\n{outcome.stdout}{outcome.stderr}"


@pytest.mark.parametrize(("page", "block"), COMMANDS, ids=[f"{page}-{n}" for n, (page, _) in enumerate(COMMANDS)])
def test_a_block_of_commands_in_the_documentation_works(page: str, block: str, environment: dict[str, str]) -> None:
    assert page
    run(block, environment)


def test_the_session_in_the_readme_works(environment: dict[str, str]) -> None:
    run("\n".join(session()), environment)


def test_a_block_that_is_not_run_says_why() -> None:
    for page in PAGES:
        for block in blocks(page):
            first = block.splitlines()[0]
            assert not first.startswith("# not run") or first.removeprefix(_EXEMPT).strip(), f"{page}: {first}"
