"""The order of maps, as Java 11 printed it for the same keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.ksql.functions.java_maps import DEFAULT_CAPACITY, arranged, table_size, united

WORDS = ["zoo", "apple", "kiwi", "Aa", "BB", "日本"]


@pytest.mark.parametrize(
    ("number", "capacity", "size"),
    [(1, 1, 2), (2, 2, 4), (3, 3, 4), (4, 4, 8), (12, 16, 16), (13, 16, 32), (1, 16, 16), (7, 5, 16)],
)
def test_a_table_doubles_when_it_is_three_quarters_full(number: int, capacity: int, size: int) -> None:
    assert table_size(number, capacity) == size


def test_keys_of_one_bucket_stay_in_the_order_of_insertion() -> None:
    assert list(arranged({"BB": 1, "Aa": 2})) == ["BB", "Aa"]
    assert list(arranged({"Aa": 2, "BB": 1})) == ["Aa", "BB"]


def test_numbers_are_hashed_too_and_other_keys_keep_their_order() -> None:
    assert list(arranged({-5: 1, 70000: 1, 3: 1, -1: 1}, 4)) == [-1, 70000, 3, -5]
    assert list(arranged({2.5: "b", 1.5: "a"})) == [2.5, 1.5]


@given(st.lists(st.text(max_size=4), unique=True, max_size=30))
def test_arranging_again_changes_nothing(keys: list[str]) -> None:
    once = arranged(dict.fromkeys(keys, 0), DEFAULT_CAPACITY)
    assert sorted(once) == sorted(keys)
    assert list(arranged(once, DEFAULT_CAPACITY)) == list(once)


@given(st.dictionaries(st.sampled_from(WORDS), st.integers()), st.dictionaries(st.sampled_from(WORDS), st.integers()))
def test_the_second_map_of_a_union_wins(left: dict[str, int], right: dict[str, int]) -> None:
    assert united(left, right) == {**left, **right}
