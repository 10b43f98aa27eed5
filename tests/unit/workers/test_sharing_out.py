from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.workers import ORDER, TOGETHER


@pytest.mark.parametrize("place", [*ORDER, *TOGETHER])
def test_what_has_a_place_is_there(place: str) -> None:
    assert (ROOT / place).exists()


@pytest.mark.parametrize("folder", TOGETHER)
def test_a_folder_that_stays_together_is_in_the_order_as_a_whole(folder: str) -> None:
    assert not [start for start in ORDER if start.startswith(folder) and start != folder]


def test_every_folder_of_tests_has_a_place() -> None:
    folders = [path.name for path in (ROOT / "tests").iterdir() if any(path.rglob("test_*.py"))]
    assert folders
    assert not [name for name in folders if f"tests/{name}/" not in ORDER]
