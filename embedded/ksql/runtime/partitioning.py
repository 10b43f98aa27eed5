"""Which partition a key belongs to: murmur2, as Java's producer and Kafka Streams choose it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from confluent_kafka import cimpl

from embedded.ksql.operators.keys import murmur2


def partitioner(partitions: int) -> Callable[[bytes], int]:
    """Return key -> partition.

    Windowed records go where their key without the window goes, so librdkafka cannot choose from the record's
    key. Its own murmur2 is called directly where the loaded library exports it (0.6 µs against 5 µs in Python).
    """
    try:
        native = ctypes.CDLL(cimpl.__file__).rd_kafka_msg_partitioner_murmur2
    except (OSError, AttributeError):
        return lambda key: (murmur2(key) & 0x7FFFFFFF) % partitions
    pointer = ctypes.c_void_p
    native.argtypes = [pointer, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int32, pointer, pointer]
    native.restype = ctypes.c_int32

    def choose(key: bytes) -> int:
        chosen: int = native(None, key, len(key), partitions, None, None)
        return chosen

    return choose
