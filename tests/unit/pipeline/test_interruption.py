from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.interruption import stop_on_signals, terminable, uninterrupted


def test_sigterm_interrupts_as_ctrl_c_does_and_only_within_the_block() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), terminable():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_puts_things_back_is_done_to_its_end_and_interrupted_then(number: signal.Signals) -> None:
    done: list[bool] = []

    def put_back() -> None:
        with uninterrupted():
            signal.raise_signal(number)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        put_back()
    assert done


def test_what_went_wrong_while_things_were_put_back_is_told_and_not_the_interruption() -> None:
    def fail_to_put_back() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            raise RuntimeError("ill")

    with pytest.raises(RuntimeError, match="ill"):
        fail_to_put_back()


def test_other_threads_hear_no_signals_and_need_not_care() -> None:
    def in_a_thread() -> bool:
        with terminable(), uninterrupted():
            return True

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(in_a_thread).result()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_told_to_stop_hears_it_and_afterwards_signals_mean_what_they_did_before(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        signal.raise_signal(number)
        assert stop.wait(60)
    assert signal.getsignal(number) is before


def test_a_signal_while_the_event_is_locked_is_heard_as_soon_as_it_is_free() -> None:
    with stop_on_signals() as stop:
        with stop._cond:  # type: ignore[attr-defined] # as in Event.wait, where a signal may find the main thread
            signal.raise_signal(signal.SIGTERM)
        assert stop.wait(60)
