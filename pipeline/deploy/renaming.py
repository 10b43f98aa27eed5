"""A ksqlDB statement for other names and topics, for a version beside the deployed one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot.tokenizer_core import TokenType

from pipeline.declared.ksql import KsqlObject
from pipeline.declared.ksql_dialect import Tokens, split_statements, word


def rename(one: KsqlObject, names: Mapping[str, str], topics: Mapping[str, str]) -> str:
    """Return the object's statement with sources and topics renamed; columns of the same names stay."""
    statement = split_statements(one.statement)[0]
    tokens = statement.tokens
    text, at = "", 0
    for index, replacement in _replacements(tokens, names, topics):
        token = tokens[index]
        text += one.statement[at : token.start] + replacement
        at = token.end + 1
    return text + one.statement[at:]


def _replacements(tokens: Tokens, names: Mapping[str, str], topics: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    words = [word(token) for token in tokens]
    defined = False
    for index, current in enumerate(words):
        before = words[index - 1] if index else ""
        after = words[index + 1] if index + 1 < len(words) else ""
        if tokens[index].token_type is TokenType.STRING:
            if before == "=" and words[index - 2] == "KAFKA_TOPIC" and tokens[index].text in topics:
                yield index, f"'{topics[tokens[index].text]}'"
        elif current in names:
            defines = not defined and before in {"STREAM", "TABLE", "EXISTS"}
            defined = defined or defines
            if defines or before in {"FROM", "JOIN"} or (after == "." and before != "."):
                yield index, f"`{names[current]}`"
