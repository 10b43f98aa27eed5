"""A stack of its own, since these tests break things, with everything deployed, an exporter and a Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import running_stack
from tests.integration.monitoring.exporter import Monitored, running_exporter
from tests.integration.monitoring.prometheus import Prometheus, running_prometheus


@pytest.fixture(scope="session")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    with running_stack(tmp_path_factory.mktemp("monitored")) as stack:
        assert stack.pipeline("deploy").returncode == 0
        with running_exporter(stack, stack.state_dir / "exporter.log") as found:
            yield found


@pytest.fixture(scope="session")
def prometheus(monitored: Monitored, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with running_prometheus(monitored, tmp_path_factory.mktemp("prometheus")) as running:
        yield running
