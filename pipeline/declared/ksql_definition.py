"""What a CREATE says, as far as other declarations must agree with it: topic, columns, sources, key and window."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from pipeline.declared.ksql_dialect import Tokens, closing_parenthesis, parse_expression, spell, split_at_commas, word

_UNITS_MS = {"MILLISECOND": 1, "SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
_CLAUSES = frozenset({"WINDOW", "WHERE", "GROUP BY", "PARTITION BY", "HAVING", "EMIT"})
_SYNONYMS = {"VARCHAR": "STRING", "INT": "INTEGER"}


@dataclass(frozen=True, slots=True)
class KsqlColumn:
    """A declared column; ``type`` is ksqlDB's name of it, such as DECIMAL(12, 2)."""

    name: str
    type: str
    key: bool
    line: int


@dataclass(frozen=True, slots=True)
class Selected:
    """One item of a SELECT; ``expression`` is None where its syntax is not understood."""

    name: str
    text: str
    expression: exp.Expr | None
    line: int


@dataclass(frozen=True, slots=True)
class KsqlQuery:
    """The SELECT of a CREATE … AS: its items, sources (more than one in a join) and grouping."""

    items: tuple[Selected, ...]
    sources: tuple[str, ...]
    group_by: tuple[str, ...]
    retention_ms: int | None
    rest: str


@dataclass(frozen=True, slots=True)
class KsqlDefinition:
    """A stream or table; ``options`` is its WITH clause, ``query`` None where it only declares a topic."""

    name: str
    kind: str
    replaces: bool
    options: dict[str, str]
    columns: tuple[KsqlColumn, ...]
    query: KsqlQuery | None
    line: int

    @property
    def topic(self) -> str:
        """The topic that it reads or writes."""
        return self.options.get("KAFKA_TOPIC", self.name)

    @property
    def parts(self) -> dict[str, str]:
        """Its clauses by name."""
        columns = {f"column {column.name}": f"{column.type}{' KEY' * column.key}" for column in self.columns}
        options = {f"WITH {name}": value for name, value in self.options.items()}
        if self.query is None:
            return {**columns, **options}
        selected = {f"column {item.name}": item.text for item in self.query.items}
        return {**selected, **options, "FROM": self.query.rest}

    def format(self, of: str) -> str:
        """Return the format of KEY or VALUE in upper case; empty where the server's default holds."""
        return self.options.get(f"{of}_FORMAT", self.options.get("FORMAT", "")).upper()


def parse_definition(tokens: Tokens, text: str) -> KsqlDefinition | None:
    """Return what a CREATE defines, None if it is not a stream or table."""
    words = [word(token) for token in tokens]
    at = 3 if words[1:3] == ["OR", "REPLACE"] else 1
    at += words[at : at + 1] == ["SOURCE"]
    if words[at : at + 1] not in (["STREAM"], ["TABLE"]):
        return None
    kind = words[at]
    at += 4 if words[at + 1 : at + 4] == ["IF", "NOT", "EXISTS"] else 1
    if at >= len(tokens):
        return None
    name, line = words[at], int(tokens[at].line)
    at += 1
    columns, options = tokens[:0], tokens[:0]
    if words[at : at + 1] == ["("]:
        end = closing_parenthesis(tokens, at)
        columns, at = tokens[at + 1 : end], end + 1
    if words[at : at + 1] == ["WITH"]:
        end = closing_parenthesis(tokens, at + 1)
        options, at = tokens[at + 2 : end], end + 1
    return KsqlDefinition(
        name=name,
        kind=kind,
        replaces=words[1] == "OR",
        options=dict(_option(part) for part in split_at_commas(options)),
        columns=tuple(_column(part) for part in split_at_commas(columns, types=True)),
        query=_query(tokens[at + 1 :], text) if words[at : at + 1] == ["AS"] else None,
        line=line,
    )


def _option(tokens: Tokens) -> tuple[str, str]:
    return word(tokens[0]), " ".join(token.text for token in tokens[2:])


def _column(tokens: Tokens) -> KsqlColumn:
    words = [word(token) for token in tokens[1:]]
    key = "KEY" in words
    kind = [one for one in words if one not in {"KEY", "PRIMARY"}]
    return KsqlColumn(word(tokens[0]), type_name(kind), key, int(tokens[0].line))


def type_name(words: list[str]) -> str:
    """Return ksqlDB's name of the type that some words spell."""
    joined = "".join(_SYNONYMS.get(one, one) for one in words)
    return joined.replace(",", ", ")


def _query(tokens: Tokens, text: str) -> KsqlQuery:
    words = [word(token) for token in tokens]
    begin = _top_level(tokens, {"FROM"}, 0)
    end = _top_level(tokens, set(_CLAUSES), begin)
    group = _top_level(tokens, {"GROUP BY"}, end)
    group_end = _top_level(tokens, {"HAVING", "EMIT", "PARTITION BY"}, group)
    grouped = split_at_commas(tokens[group + 1 : group_end])
    return KsqlQuery(
        items=tuple(_selected(part, text) for part in split_at_commas(tokens[1:begin])),
        sources=_sources(words[begin + 1 : end]),
        group_by=tuple("".join(word(token) for token in part) for part in grouped),
        retention_ms=_retention_ms(words),
        rest=spell(words[begin + 1 :]),
    )


def _top_level(tokens: Tokens, wanted: set[str], start: int) -> int:
    depth = 0
    for index in range(start, len(tokens)):
        token: Token = tokens[index]
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        # FROM within EXTRACT( … FROM … ) is deeper; a clause's own words never are.
        if depth == 0 and word(token) in wanted:
            return index
    return len(tokens)


def _sources(words: list[str]) -> tuple[str, ...]:
    return tuple(one for before, one in zip(["FROM", *words], words, strict=False) if before in {"FROM", "JOIN"})


def _selected(tokens: Tokens, text: str) -> Selected:
    words = [word(token) for token in tokens]
    named = len(tokens) > 2 and words[-2] == "AS"  # noqa: PLR2004 - expression AS name
    expression = tokens[:-2] if named else tokens
    shown = spell([word(token) for token in expression])
    return Selected(words[-1], shown, parse_expression(expression, text), int(tokens[0].line))


def _retention_ms(words: list[str]) -> int | None:
    if "RETENTION" not in words:
        return None
    at = words.index("RETENTION")
    number, unit = words[at + 1 : at + 2], words[at + 2 : at + 3]
    if not number or not unit or not number[0].isdigit():
        return None
    return int(number[0]) * _UNITS_MS.get(unit[0].removesuffix("S"), 0) or None
