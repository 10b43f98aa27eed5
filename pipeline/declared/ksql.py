"""ksql/NN_<object>.sql: one ksqlDB object a file, with the settings it needs in front."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from pipeline.declared.ksql_definition import KsqlDefinition, parse_definition
from pipeline.declared.ksql_dialect import Statement, split_statements
from pipeline.errors import DeclarationError


@dataclass(frozen=True, slots=True)
class KsqlObject:
    """A stream or table: ``statement`` is one CREATE, ``properties`` what SET put before it."""

    name: str
    kind: str
    path: Path
    text: str
    statement: str
    properties: dict[str, str]
    definition: KsqlDefinition
    words: tuple[str, ...] = field(repr=False)

    @property
    def replacing(self) -> str:
        """The same statement as CREATE OR REPLACE."""
        return self.statement if self.definition.replaces else f"CREATE OR REPLACE{self.statement[len('CREATE') :]}"

    @property
    def meaning(self) -> tuple[object, ...]:
        """What two texts have in common that do the same: comments, spaces and OR REPLACE do not count."""
        words = self.words[:1] + self.words[3:] if self.definition.replaces else self.words
        return words, tuple(sorted(self.properties.items()))

    @property
    def parts(self) -> dict[str, str]:
        """What it says, clause by clause, to show where two versions differ."""
        settings = {f"SET {name}": value for name, value in self.properties.items()}
        return {**settings, **self.definition.parts, "kind": self.kind}


def topic_beside(topic: str) -> str:
    """Return the topic in which a rebuild first builds anew what queries write to this one."""
    return f"{topic}.next"


def parse_ksql(path: Path, text: str) -> KsqlObject:
    """Return the object in a file. Raises DeclarationError if it holds anything but SETs and one CREATE."""
    try:
        statements = split_statements(text)
    except SqlglotError as error:
        raise DeclarationError(f"not ksql: {error}", path=path) from error
    properties: dict[str, str] = {}
    creates: list[Statement] = []
    for statement in statements:
        kinds = [token.token_type for token in statement.tokens]
        if statement.words[0] == "SET" and kinds[1:] == [TokenType.STRING, TokenType.EQ, TokenType.STRING]:
            properties[statement.tokens[1].text] = statement.tokens[3].text
        elif statement.words[0] == "CREATE":
            creates.append(statement)
        else:
            message = f"only SET '…'='…'; and one CREATE belong here, not: {statement.text[:60]}"
            raise DeclarationError(message, path=path, line=statement.line)
    if len(creates) != 1:
        line = creates[1].line if creates else 1
        message = f"one CREATE STREAM or CREATE TABLE is expected, {len(creates)} found"
        raise DeclarationError(message, path=path, line=line)
    (create,) = creates
    if not create.ended:
        raise DeclarationError("the statement does not end with a semicolon", path=path, line=create.line)
    definition = parse_definition(create.tokens, text)
    if definition is None:
        raise DeclarationError("one CREATE STREAM or CREATE TABLE is expected", path=path, line=create.line)
    return KsqlObject(
        name=definition.name,
        kind=definition.kind,
        path=path,
        text=text,
        statement=create.text,
        properties=properties,
        definition=definition,
        words=create.words,
    )
