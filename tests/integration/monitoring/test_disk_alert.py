"""The alert about a disk that fills up, on a small one in memory."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.waiting import wait_until
from tests.integration.monitoring.exporter import Monitored, running_exporter
from tests.integration.monitoring.prometheus import running_prometheus


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if outcome.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {outcome.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True, timeout=30)


def test_a_disk_that_fills_up_fires_and_clears_when_there_is_room_again(
    monitored: Monitored, small_disk: Path, tmp_path: Path
) -> None:
    ballast = small_disk / "ballast"
    with (
        running_exporter(monitored.stack, tmp_path / "exporter.log", "--disk", str(small_disk)) as exporter,
        running_prometheus(exporter, tmp_path) as prometheus,
    ):
        ballast.write_bytes(bytes(shutil.disk_usage(small_disk).total * 8 // 10))
        wait_until(
            lambda: bool(prometheus.query("pipeline_disk_free_bytes / pipeline_disk_bytes < 0.25")),
            awaiting="Prometheus to see the disk four fifths full",
            timeout_seconds=60,
        )
        assert prometheus.found_by("DiskFillingUp") == []
        with ballast.open("ab") as stream:
            stream.write(bytes(shutil.disk_usage(small_disk).free // 2))
        prometheus.await_alert("DiskFillingUp", path=str(small_disk))
        ballast.unlink()
        prometheus.await_silence("DiskFillingUp")
