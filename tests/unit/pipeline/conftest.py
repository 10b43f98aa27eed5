"""The declarations of this repository, copied so that a test may break them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture
def project_dir(tmp_path: Path) -> Path:
    for folder in ("connectors", "schemas", "ksql", "sql"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "topics.yaml", tmp_path)
    return tmp_path
