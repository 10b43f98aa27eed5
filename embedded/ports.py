"""Ports on 127.0.0.1: chosen once, kept in the state directory, chosen anew only when taken."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from embedded.errors import EmbeddedError

HOST = "127.0.0.1"

# Below every usual ephemeral range, so that an outgoing connection cannot take a port while its server is down.
_RANGE = range(20000, 32000)
_ATTEMPTS = 500
_RANDOM = random.SystemRandom()  # two processes with the same seed would choose the same


def is_claimed(port: int) -> bool:
    """Tell whether a stack that boots has claimed the port."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        return not _bound(probe, port)


@contextmanager
def claimed(ports: Iterable[int]) -> Iterator[None]:
    """Keep other stacks from choosing these ports before our servers listen there.

    A claim is the UDP port of the same number, which none of the servers uses and the kernel frees with our process.
    """
    with ExitStack() as claims:
        for port in ports:
            _bound(claims.enter_context(socket.socket(type=socket.SOCK_DGRAM)), port)
        yield


def _bound(sock: socket.socket, port: int) -> bool:
    try:
        sock.bind((HOST, port))
    except OSError:
        return False
    return True


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return _bound(probe, port) and not is_claimed(port)


def answers(port: int) -> bool:
    """Tell whether something listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def choose_ports(
    names: Iterable[str],
    kept: Mapping[str, int],
    in_use_by_us: Iterable[str] = (),
    free: Callable[[int], bool] = is_free,
) -> dict[str, int]:
    """Return a port for each name: the kept one if it is free (or ours), else a new free one."""
    ours = set(in_use_by_us)
    ports: dict[str, int] = {}
    for name in names:
        before = kept.get(name)
        if before is not None and (name in ours or free(before)):
            ports[name] = before
    for name in names:
        if name not in ports:
            ports[name] = _new_port({*ports.values(), *kept.values()}, free)
    return ports


def _new_port(taken: set[int], free: Callable[[int], bool]) -> int:
    for _ in range(_ATTEMPTS):
        port = _RANDOM.choice(_RANGE)
        if port not in taken and free(port):
            return port
    raise EmbeddedError(
        f"no free port between {_RANGE.start} and {_RANGE.stop} on {HOST}; stop some servers and run again"
    )
