"""The demo, as a newcomer runs it: a stack of its own, everything through, proven, shown and gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

# The demo must not listen to settings that lead elsewhere.
ELSEWHERE = {"PIPELINE_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "PIPELINE_POSTGRES_DSN": "postgresql://127.0.0.1:9/x"}


def test_the_demo_proves_itself_and_leaves_nothing_running(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "pipeline", "demo", "--events", "2000"],
        env={**os.environ, **ELSEWHERE, "PIPELINE_STATE_DIR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    shown = outcome.stdout
    assert "records acknowledged" in shown
    assert "exact: nothing lost, nothing twice" in shown
    for heading in ("Events by type", "Top users", "How long it took"):
        assert heading in shown
    assert "page_view" in shown
    assert not (tmp_path / "demo" / "environment").exists()
