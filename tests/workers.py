"""How `make test WORKERS=2` shares the tests out between processes: pytest-xdist with our order."""

from __future__ import annotations

import os

import pytest
from coverage import Coverage
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

# Tests in one folder that share servers of a session's length: one process runs all of them.
TOGETHER = ("tests/integration/access/", "tests/integration/monitoring/", "tests/integration/ksql/")

# What lasts longest begins first and what needs no server last: no process waits long for the other's last file.
# The servers of `monitoring/` look at themselves twice a second until their process ends: not earlier than need be.
ORDER = (
    "tests/e2e/test_faults.py",
    "tests/e2e/test_benchmarks.py",
    "tests/integration/ksql/",
    "tests/integration/access/",
    "tests/integration/documentation/",
    "tests/e2e/",
    "tests/integration/monitoring/",
    "tests/integration/",
    "tests/unit/",
)


def pytest_configure(config: pytest.Config) -> None:
    """Forget the size of a terminal: what commands write here goes to a pipe.

    Python's readline sets it in the process that shares out the tests, and the others inherit it.
    """
    if hasattr(config, "workerinput"):
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)


class TogetherScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a process the tests of a whole file, or of a whole folder of `TOGETHER`."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> TogetherScheduling:
    """Share out with our scheduling, in the order of the collection."""
    config.option.loadscopereorder = False
    return TogetherScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest first where tests are shared out; of those as long, pytest-randomly's order stays."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    return next((number for number, start in enumerate(ORDER) if nodeid.startswith(start)), len(ORDER))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Save what a process covered: xdist kills it if it takes longer than ten seconds to end."""
    measured = Coverage.current()
    if measured is not None and hasattr(config, "workerinput"):
        measured.save()
