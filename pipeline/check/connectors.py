"""Connector files: no secret, no address, nothing of one environment only, no dead letter false or lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.check.finding import Finding
from pipeline.declared.connectors import REFERENCE, Connector, is_secret

_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.:-]*://[^\s,;'\"]+"  # any URL, jdbc: too
    r"|\b(?:\d{1,3}\.){3}\d{1,3}\b"
    r"|\blocalhost\b"
    r"|\b[a-z0-9-]+(?:\.[a-z0-9-]+)+:\d{2,5}\b",
    re.IGNORECASE,
)
_SERIALIZER = "producer.override.value.serializer"
_REFUSES_FALSE_LETTERS = "useranalytics.connect.DeadLetterSerializer"
_INTERCEPTORS = "producer.override.interceptor.classes"
_AWAITS_LETTERS = "useranalytics.connect.LetterReceipts"


def check_connectors(connectors: list[Connector]) -> Iterator[Finding]:
    """Yield each setting that holds a secret or an address, and each sink whose dead letters may be false or lost."""
    for connector in connectors:
        if "errors.deadletterqueue.topic.name" in connector.config:
            yield from _false_letters(connector)
            yield from _lost_letters(connector)
        for setting, value in connector.config.items():
            rest = REFERENCE.sub("", value)
            if is_secret(setting) and rest.strip() and not _is_choice(value):
                what = f"{setting} holds a secret as it is"
                why = "this file is in version control, and Connect shows its configuration to anyone who asks"
                fix = f'write "{setting}": "${{env:NAME}}" and set NAME for the worker'
                yield Finding(connector.path, connector.line(setting), what, why, fix)
            elif address := _ADDRESS.search(rest):
                what = f"{setting} holds the address {address[0]}"
                why = "the same file is deployed to every environment"
                fix = "take it from the worker: ${env:NAME}"
                yield Finding(connector.path, connector.line(setting), what, why, fix)


def _false_letters(connector: Connector) -> Iterator[Finding]:
    waits = connector.config.get("errors.retry.timeout", "0") != "0"
    serializer = connector.config.get(_SERIALIZER)
    if waits and serializer != _REFUSES_FALSE_LETTERS:
        what = f"{_SERIALIZER} is {serializer or 'not set'}, though records wait (errors.retry.timeout)"
        why = "Connect writes those that wait as dead letters when it gives up a task that should stop"
        line = connector.line("errors.retry.timeout")
        yield Finding(connector.path, line, what, why, f'set it to "{_REFUSES_FALSE_LETTERS}"')


def _lost_letters(connector: Connector) -> Iterator[Finding]:
    interceptors = connector.config.get(_INTERCEPTORS, "")
    if _AWAITS_LETTERS not in interceptors.replace(" ", "").split(","):
        what = f"{_INTERCEPTORS} is {interceptors or 'not set'}"
        why = "Connect commits a record that its converter refuses though the dead letter is not written"
        line = connector.line("errors.deadletterqueue.topic.name")
        yield Finding(connector.path, line, what, why, f'add "{_AWAITS_LETTERS}"')


def _is_choice(value: str) -> bool:
    """Whether a value only switches something, as in ``….token.validation.enable``."""
    return value.lower() in {"true", "false", ""} or value.isdigit()
