"""What operators remember: compact, beyond memory on disk, and the same after a restore."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded.ksql.operators import spill
from embedded.ksql.operators.keys import KeyCodec
from embedded.ksql.operators.packing import pack, unpack
from embedded.ksql.operators.state_table import DEAD
from embedded.ksql.operators.stores import KeyedStore, WindowStore
from embedded.ksql.partitioning import murmur2
from embedded.ksql.types import BIGINT, INTEGER, STRING, Column, SqlType, decimal

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.fixture
def short_turns() -> Iterator[None]:
    """Threads that let each other run as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@given(plain)
def test_plain_values_come_back_from_bytes_as_they_were(value: Any) -> None:
    assert unpack(pack(value)) == value
    assert str(unpack(pack(Decimal("1.50")))) == "1.50"


@pytest.mark.usefixtures("short_turns")
def test_threads_that_pack_at_the_same_time_do_not_write_into_each_others_bytes() -> None:
    """Packing a DECIMAL runs Python code, in the midst of which another thread may get its turn."""

    def altered(number: int) -> list[Any]:
        states = [(number, *(Decimal(number * 1_000 + index) for index in range(20))) for _ in range(2_000)]
        return [state for state in states if tuple(unpack(pack(state))) != state]

    with ThreadPoolExecutor(2) as threads:
        assert [*threads.map(altered, (1, 2))] == [[], []]


def test_a_state_that_is_not_plain_data_is_refused() -> None:
    with pytest.raises(TypeError, match="aggregate states must be plain data"):
        pack({1, 2})


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ((Column("K", STRING),), ("ü\ud800",)),
        ((Column("K", INTEGER),), (-5,)),
        ((Column("K", BIGINT),), (1 << 40,)),
        ((Column("K", decimal(4, 2)),), (Decimal("1.50"),)),
        ((Column("A", STRING), Column("B", INTEGER)), ("a", None)),
    ],
)
def test_keys_come_back_from_bytes(columns: tuple[Column, ...], key: tuple[Any, ...]) -> None:
    codec = KeyCodec(columns)
    assert codec.decode(codec.encode(key)) == key


@pytest.mark.parametrize("kind", [STRING, INTEGER, BIGINT, decimal(4, 2)])
def test_compiled_code_encodes_a_key_as_the_codec_does(kind: SqlType) -> None:
    codec = KeyCodec((Column("K", kind),))
    value = {STRING: "ü", INTEGER: -5, BIGINT: 1 << 40}.get(kind, Decimal("1.50"))
    assert eval(codec.template.format("value"), {"pack": pack, "value": value}) == codec.encode((value,))


def test_text_and_number_keys_have_the_bytes_of_the_kafka_format() -> None:
    assert KeyCodec((Column("K", STRING),)).encode(("ab",)) == b"ab"
    assert KeyCodec((Column("K", INTEGER),)).encode((1,)) == b"\0\0\0\1"


@pytest.mark.parametrize(
    ("key", "expected"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)],
)
def test_murmur2_is_the_one_of_kafka(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


steps = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.none() | st.integers(), st.booleans()))


@settings(max_examples=50)
@given(steps, st.integers(0, 1 << 62))
def test_a_store_is_its_drained_changes(changes: list[tuple[bytes, int | None, bool]], limit: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "MEMORY_BYTES", 10 if limit % 2 else 1 << 20)
        patch.setattr(spill, "BUFFER_BYTES", 20)
        store = KeyedStore("s")
        expected: dict[bytes, int | None] = {}
        changelog: dict[bytes, bytes | None] = {}
        for key, value, drains in changes:
            store.put(key, None if value is None else (value, "state"))
            expected[key] = value
            if drains:
                changelog.update(store.drain_changes())
        changelog.update(store.drain_changes())
        copy = KeyedStore("s")
        for key, packed in changelog.items():
            copy.restore(key, packed)
        live = {key: (value, "state") for key, value in expected.items() if value is not None}
        assert dict(store.items()) == dict(copy.items()) == live
        assert len(store) == len(copy) == len(live)
        assert store.get(b"z") is None


def test_states_beyond_memory_are_read_back_from_disk_while_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "MEMORY_BYTES", 1000)
    monkeypatch.setattr(spill, "BUFFER_BYTES", 100)
    store = WindowStore("w", 10, 100)
    for turn in range(20):
        for number in range(50):
            store.window(number % 3).put(str(number).encode(), (turn, number, "x" * 20))
        store.drain_changes()
        store.window(0).recent.clear()
        assert dict(store.window(0).items())[b"48"] == (turn, 48, "x" * 20)


def test_an_expired_window_leaves_memory_and_then_the_changelog() -> None:
    store = WindowStore("w", 10, 100)
    store.window(0).put(b"k", (1,))
    store.window(5).put(b"k", DEAD)
    ((first, _), second) = store.drain_changes()
    assert second == (b"k" + (50).to_bytes(8), pack(DEAD))
    store.expire([(3, 9)])
    assert len(store) == 1
    assert store.drain_changes() == [(first, None)]
    assert store.drain_changes() == []
