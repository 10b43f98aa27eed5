"""Properties of statements: which are honoured, which have no effect here, which are refused; and their values."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from embedded.ksql.errors import KsqlError, ServerError, StatementError
from embedded.ksql.language import ast
from embedded.ksql.runtime.naming import STREAMS_PREFIX
from embedded.ksql.statements.properties import DEFAULT_FORMATS

OFFSET_RESET, GUARANTEE = "auto.offset.reset", "processing.guarantee"
_GUARANTEES = ("at_least_once", "exactly_once", "exactly_once_beta", "exactly_once_v2")
_CHOICES = {OFFSET_RESET: ("latest", "earliest"), GUARANTEE: _GUARANTEES}
_NUMBERS = {"cache.max.bytes.buffering": 0, "statestore.cache.max.bytes": 0, "commit.interval.ms": 0}
HONOURED = frozenset(_CHOICES) | frozenset(_NUMBERS) | frozenset(DEFAULT_FORMATS.values())

# They tune threads, buffers and waiting of Kafka Streams, of which there is nothing here; results are the same.
WITHOUT_EFFECT = frozenset(
    {
        "num.stream.threads",
        "num.standby.replicas",
        "poll.ms",
        "buffered.records.per.partition",
        "replication.factor",
        "topology.optimization",
        "metadata.max.age.ms",
        "metrics.recording.level",
        "request.timeout.ms",
        "retries",
        "retry.backoff.ms",
        "rocksdb.config.setter",
        "state.cleanup.delay.ms",
        "state.dir",
        "max.poll.records",
        "max.poll.interval.ms",
        "session.timeout.ms",
        "heartbeat.interval.ms",
        "fetch.min.bytes",
        "fetch.max.wait.ms",
        "fetch.max.bytes",
        "max.partition.fetch.bytes",
        "receive.buffer.bytes",
        "send.buffer.bytes",
        "batch.size",
        "buffer.memory",
        "compression.type",
        "linger.ms",
        "max.block.ms",
        "max.request.size",
        "delivery.timeout.ms",
        "enable.idempotence",
        "ksql.query.pull.table.scan.enabled",
        "ksql.query.pull.max.allowed.offset.lag",
        "ksql.query.push.v2.enabled",
    }
)
# ksqlDB takes them per request and they change results; nothing is silently ignored here.
_REFUSED = frozenset(
    {
        "acks",
        "default.timestamp.extractor",
        "isolation.level",
        "max.task.idle.ms",
        "task.timeout.ms",
        "ksql.cast.strings.preserve.nulls",
        "ksql.functions.collect_list.limit",
        "ksql.functions.collect_set.limit",
        "ksql.nested.error.set.null",
        "ksql.persistence.wrap.single.values",
        "ksql.suppress.enabled",
        "ksql.timestamp.throw.on.invalid",
    }
)
IMMUTABLE = frozenset({"application.id", "bootstrap.servers", "ksql.service.id", "ksql.extension.dir"})
_PREFIXES = ("ksql.streams.consumer.", "ksql.streams.producer.", "consumer.", "producer.", STREAMS_PREFIX)
_WIDTH = 80


def set_property(properties: dict[str, str], name: str, value: str) -> None:
    """SET: put a property among those of the statements that follow. Raises StatementError."""
    if not _is_known(name):
        raise StatementError(f"Unknown property: {name}")
    try:
        properties[_canonical(name)] = _checked(name, value)
    except KsqlError as error:
        raise StatementError(error.message) from error


def unset_property(properties: dict[str, str], name: str) -> None:
    """UNSET: take a property away. Raises StatementError."""
    if not _is_known(name):
        raise StatementError(f"Unknown property: {name}")
    properties.pop(_canonical(name), None)


def define(statement: ast.Statement, properties: dict[str, str], variables: dict[str, str]) -> bool:
    """Execute SET, UNSET, DEFINE and UNDEFINE, which last as long as the request; return whether it was one."""
    match statement:
        case ast.SetProperty(name, value):
            set_property(properties, name, value)
        case ast.UnsetProperty(name):
            unset_property(properties, name)
        case ast.DefineVariable(name, value):
            variables[name] = value
        case ast.UndefineVariable(name):
            variables.pop(name, None)
        case _:
            return False
    return True


def request_properties(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the properties that a request brings. Raises KsqlError for those that cannot be."""
    found: dict[str, str] = {}
    for name, value in properties.items():
        if not _is_known(name):
            raise ServerError(f"Not recognizable as ksql, streams, consumer, or producer property: '{name}'")
        found[_canonical(name)] = _checked(name, value)
    return found


def refuse_immutable(name: str) -> None:
    """Raise KsqlError for a property that only the server's own configuration may set."""
    if _canonical(name) in IMMUTABLE:
        raise KsqlError(f"A property override was set locally for a property that the server prohibits: '{name}'")


def _is_known(name: str) -> bool:
    canonical = _canonical(name)
    return any(canonical in names for names in (HONOURED, WITHOUT_EFFECT, _REFUSED, IMMUTABLE))


def _canonical(name: str) -> str:
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def _checked(name: str, value: Any) -> str:
    canonical = _canonical(name)
    refuse_immutable(name)
    if canonical in _REFUSED:
        raise StatementError(f"Property '{name}' is not supported by the embedded engine; leave it out.")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    reason = _reason_against(canonical, text)
    if reason is not None:
        caused = textwrap.fill(f"Caused by: {reason}", _WIDTH, subsequent_indent="\t", break_on_hyphens=False)
        raise KsqlError(f"Failed to coerce type of value '{text}' for key '{name}'\n{caused}")
    return text


def _reason_against(name: str, text: str) -> str | None:
    choices = _CHOICES.get(name)
    if choices is not None:
        if text.lower() in choices:
            return None
        return f"Invalid value {text} for configuration {name}: String must be one of: {', '.join(choices)}"
    if name in _NUMBERS and not text.isdecimal():
        return f"Invalid value {text} for configuration {name}: Not a number of type LONG"
    return None
