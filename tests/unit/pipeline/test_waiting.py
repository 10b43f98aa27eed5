from __future__ import annotations

import pytest

from pipeline.errors import NotReadyError
from pipeline.waiting import wait_until


def test_waiting_returns_the_first_true_answer() -> None:
    answers = iter([None, 0, 42])
    assert wait_until(lambda: next(answers), awaiting="the answer", timeout_seconds=10) == 42


def test_waiting_in_vain_says_for_what_and_how_long() -> None:
    with pytest.raises(NotReadyError, match=r"waited 0\.1 s for the moon, in vain"):
        wait_until(lambda: None, awaiting="the moon", timeout_seconds=0.1)


def test_what_the_probe_raises_passes_through() -> None:
    def broken() -> None:
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        wait_until(broken, awaiting="nothing", timeout_seconds=10)
