"""Builds statements of the syntax tree from the parse tree."""

from __future__ import annotations

from typing import Any

from lark import Token, v_args

from embedded.ksql.errors import StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.building import (
    Children,
    Clause,
    clause,
    has,
    location,
    name_or_string,
    names,
    nodes,
    tokens,
    unquoted,
)
from embedded.ksql.language.query_building import QueryBuilder


def _kind(children: Children) -> ast.SourceKind:
    return "TABLE" if has(children, "TABLE") else "STREAM"


@v_args(meta=True)
class StatementBuilder(QueryBuilder):
    """One method a rule of the grammar's sections on statements."""

    def start(self, _meta: Any, children: Children) -> Any:
        """``statement ;``."""
        return children[0]

    # sources

    def or_replace(self, _meta: Any, children: Children) -> Clause:
        """``OR REPLACE``."""
        return Clause("or_replace", bool(children))

    def if_not_exists(self, _meta: Any, children: Children) -> Clause:
        """``IF NOT EXISTS``."""
        return Clause("if_not_exists", bool(children))

    def if_exists(self, _meta: Any, children: Children) -> Clause:
        """``IF EXISTS``."""
        return Clause("if_exists", bool(children))

    def column_definitions(self, _meta: Any, children: Children) -> Clause:
        """``(name type, …)``."""
        return Clause("columns", tuple(nodes(children)))

    def column_definition(self, meta: Any, children: Children) -> ast.ColumnDefinition:
        """``name type``."""
        return ast.ColumnDefinition(names(children)[0], nodes(children)[0], location=location(meta))

    added_column = column_definition

    def key_column(self, meta: Any, children: Children) -> ast.ColumnDefinition:
        """``name type KEY``."""
        return ast.ColumnDefinition(names(children)[0], nodes(children)[0], "KEY", location=location(meta))

    def primary_key_column(self, meta: Any, children: Children) -> ast.ColumnDefinition:
        """``name type PRIMARY KEY``."""
        return ast.ColumnDefinition(names(children)[0], nodes(children)[0], "PRIMARY KEY", location=location(meta))

    def header_column(self, meta: Any, children: Children) -> ast.ColumnDefinition:
        """``name type HEADER('key')``."""
        header = unquoted(tokens(children, "STRING")[0])
        return ast.ColumnDefinition(names(children)[0], nodes(children)[0], "HEADER", header, location=location(meta))

    def headers_column(self, meta: Any, children: Children) -> ast.ColumnDefinition:
        """``name type HEADERS``."""
        return ast.ColumnDefinition(names(children)[0], nodes(children)[0], "HEADERS", location=location(meta))

    def with_properties(self, _meta: Any, children: Children) -> Clause:
        """``WITH (…)``."""
        return Clause("properties", tuple(nodes(children)))

    def property(self, _meta: Any, children: Children) -> tuple[str, Any]:
        """``NAME = literal``."""
        return name_or_string(children).upper(), nodes(children)[0]

    def create_source(self, meta: Any, children: Children) -> ast.CreateSource:
        """``CREATE STREAM | TABLE name (columns) WITH (…)``."""
        return ast.CreateSource(
            _kind(children),
            names(children)[0],
            clause(children, "columns", ()),
            clause(children, "properties"),
            or_replace=clause(children, "or_replace"),
            if_not_exists=clause(children, "if_not_exists"),
            read_only=has(children, "SOURCE"),
            location=location(meta),
        )

    create_read_only = create_source

    def create_as_select(self, meta: Any, children: Children) -> ast.CreateAsSelect:
        """``CREATE STREAM | TABLE name WITH (…) AS SELECT …``."""
        kind, (query,) = _kind(children), nodes(children)
        if isinstance(query, ast.Query) and query.limit is not None:
            what = f"CREATE {kind} AS SELECT statements don't support LIMIT clause."
            raise StatementError(f"Failed to prepare statement: {what}")
        return ast.CreateAsSelect(
            kind,
            names(children)[0],
            query,
            clause(children, "properties"),
            or_replace=clause(children, "or_replace"),
            if_not_exists=clause(children, "if_not_exists"),
            location=location(meta),
        )

    def insert_select(self, meta: Any, children: Children) -> ast.InsertSelect:
        """``INSERT INTO name SELECT …``."""
        properties = clause(children, "properties")
        return ast.InsertSelect(names(children)[0], nodes(children)[0], properties, location=location(meta))

    def insert_columns(self, _meta: Any, children: Children) -> Clause:
        """``(column, …)`` of an INSERT."""
        return Clause("insert_columns", tuple(names(children)))

    def insert_values(self, meta: Any, children: Children) -> ast.InsertValues:
        """``INSERT INTO name (columns) VALUES (…)``."""
        columns = clause(children, "insert_columns")
        return ast.InsertValues(names(children)[0], columns, tuple(nodes(children)), location=location(meta))

    def drop_source(self, meta: Any, children: Children) -> ast.DropSource:
        """``DROP STREAM | TABLE [IF EXISTS] name [DELETE TOPIC]``."""
        return ast.DropSource(
            _kind(children),
            names(children)[0],
            if_exists=clause(children, "if_exists"),
            delete_topic=has(children, "DELETE"),
            location=location(meta),
        )

    def alter_source(self, meta: Any, children: Children) -> ast.AlterSource:
        """``ALTER STREAM | TABLE name ADD COLUMN …``."""
        return ast.AlterSource(_kind(children), names(children)[0], tuple(nodes(children)), location=location(meta))

    def create_type(self, meta: Any, children: Children) -> ast.RegisterType:
        """``CREATE TYPE name AS type``."""
        guarded = clause(children, "if_not_exists")
        return ast.RegisterType(names(children)[0], nodes(children)[0], if_not_exists=guarded, location=location(meta))

    def drop_type(self, meta: Any, children: Children) -> ast.DropType:
        """``DROP TYPE name``."""
        return ast.DropType(names(children)[0], if_exists=clause(children, "if_exists"), location=location(meta))

    # running queries, properties, variables

    def control_query(self, meta: Any, children: Children) -> ast.ControlQuery:
        """``TERMINATE | PAUSE | RESUME id | ALL``."""
        action: Any = children[0].type
        query = names(children)
        return ast.ControlQuery(action, query[0] if query else None, location=location(meta))

    def set_property(self, meta: Any, children: Children) -> ast.SetProperty:
        """``SET 'name' = 'value'``."""
        name, value = (unquoted(text) for text in tokens(children, "STRING"))
        return ast.SetProperty(name, value, location=location(meta))

    def unset_property(self, meta: Any, children: Children) -> ast.UnsetProperty:
        """``UNSET 'name'``."""
        return ast.UnsetProperty(unquoted(tokens(children, "STRING")[0]), location=location(meta))

    def define_variable(self, meta: Any, children: Children) -> ast.DefineVariable:
        """``DEFINE name = 'value'``; variables keep their name as it was written."""
        value = unquoted(tokens(children, "STRING")[0])
        return ast.DefineVariable(names(children)[0].lower(), value, location=location(meta))

    def undefine_variable(self, meta: Any, children: Children) -> ast.UndefineVariable:
        """``UNDEFINE name``."""
        return ast.UndefineVariable(names(children)[0].lower(), location=location(meta))

    # looking around

    def shown(self, _meta: Any, children: Children) -> Clause:
        """What SHOW shows."""
        words = [child.type for child in children if isinstance(child, Token)]
        return Clause("shown", "ALL TOPICS" if words[0] == "ALL" else words[-1])

    def show(self, meta: Any, children: Children) -> ast.Show | ast.UnsupportedStatement:
        """``SHOW what [EXTENDED]``."""
        what = clause(children, "shown")
        if what == "PLUGINS":
            return ast.UnsupportedStatement("SHOW CONNECTOR PLUGINS", location=location(meta))
        return ast.Show(what, extended=has(children, "EXTENDED"), location=location(meta))

    def describe(self, meta: Any, children: Children) -> ast.Describe:
        """``DESCRIBE name [EXTENDED]``."""
        return ast.Describe(names(children)[0], extended=has(children, "EXTENDED"), location=location(meta))

    def describe_sources(self, meta: Any, children: Children) -> ast.Describe:
        """``DESCRIBE STREAMS | TABLES [EXTENDED]``."""
        what: Any = "STREAMS" if has(children, "STREAMS") else "TABLES"
        return ast.Describe(None, extended=has(children, "EXTENDED"), what=what, location=location(meta))

    def describe_function(self, meta: Any, children: Children) -> ast.DescribeFunction:
        """``DESCRIBE FUNCTION name``."""
        return ast.DescribeFunction(names(children)[0].upper(), location=location(meta))

    def explain(self, meta: Any, children: Children) -> ast.Explain:
        """``EXPLAIN query-id``."""
        return ast.Explain(query=names(children)[0], location=location(meta))

    def explain_statement(self, meta: Any, children: Children) -> ast.Explain:
        """``EXPLAIN statement``."""
        return ast.Explain(statement=nodes(children)[0], location=location(meta))

    def interval(self, _meta: Any, children: Children) -> Clause:
        """``INTERVAL n``."""
        return Clause("interval", int(tokens(children, "INTEGER")[0]))

    def print_topic(self, meta: Any, children: Children) -> ast.PrintTopic:
        """``PRINT topic …``; an unquoted name keeps its case, as topics do."""
        return ast.PrintTopic(
            name_or_string(children),
            from_beginning=has(children, "FROM"),
            interval=clause(children, "interval", 1),
            limit=clause(children, "limit"),
            location=location(meta),
        )

    def timeout(self, _meta: Any, children: Children) -> Clause:
        """``TIMEOUT duration``."""
        found = nodes(children)
        return Clause("timeout", found[0] if found else None)

    def subject(self, _meta: Any, children: Children) -> Clause:
        """``SUBJECT name``."""
        return Clause("subject", name_or_string(children))

    def schema_id(self, _meta: Any, children: Children) -> Clause:
        """``ID n``."""
        return Clause("schema_id", int(tokens(children, "INTEGER")[0]))

    def assert_topic(self, meta: Any, children: Children) -> ast.AssertTopic:
        """``ASSERT [NOT EXISTS] TOPIC name …``."""
        return ast.AssertTopic(
            name_or_string(children),
            clause(children, "properties"),
            clause(children, "timeout"),
            exists=not has(children, "NOT"),
            location=location(meta),
        )

    def assert_schema(self, meta: Any, children: Children) -> ast.AssertSchema:
        """``ASSERT [NOT EXISTS] SCHEMA …``."""
        return ast.AssertSchema(
            clause(children, "subject"),
            clause(children, "schema_id"),
            clause(children, "timeout"),
            exists=not has(children, "NOT"),
            location=location(meta),
        )

    # refused by name

    def create_connector(self, meta: Any, children: Children) -> ast.UnsupportedStatement:
        """``CREATE SINK | SOURCE CONNECTOR …``."""
        kind = "SINK" if has(children, "SINK") else "SOURCE"
        return ast.UnsupportedStatement(f"CREATE {kind} CONNECTOR", location=location(meta))

    def drop_connector(self, meta: Any, _children: Children) -> ast.UnsupportedStatement:
        """``DROP CONNECTOR …``."""
        return ast.UnsupportedStatement("DROP CONNECTOR", location=location(meta))

    def describe_connector(self, meta: Any, _children: Children) -> ast.UnsupportedStatement:
        """``DESCRIBE CONNECTOR …``."""
        return ast.UnsupportedStatement("DESCRIBE CONNECTOR", location=location(meta))

    def alter_system(self, meta: Any, _children: Children) -> ast.UnsupportedStatement:
        """``ALTER SYSTEM …``."""
        return ast.UnsupportedStatement("ALTER SYSTEM", location=location(meta))
