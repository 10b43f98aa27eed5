from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embedded.ksql.partitioning import murmur2, partitioner


@given(key=st.binary(max_size=64), partitions=st.integers(1, 64))
def test_the_native_hash_and_ours_choose_the_same_partition(key: bytes, partitions: int) -> None:
    assert partitioner(partitions)(key) == (murmur2(key) & 0x7FFFFFFF) % partitions


def test_the_hash_gives_the_values_that_kafka_documents_in_its_tests() -> None:
    assert murmur2(b"21") - (1 << 32) == -973932308
    assert murmur2(b"foobar") - (1 << 32) == -790332482
    assert murmur2(b"abc") == 479470107
