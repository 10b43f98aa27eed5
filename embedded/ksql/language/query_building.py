"""Builds queries of the syntax tree from the parse tree."""

from __future__ import annotations

from typing import Any

from lark import Token, v_args

from embedded.ksql.errors import StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.building import Children, Clause, clause, has, location, names, nodes, repeated, tokens
from embedded.ksql.language.expression_building import ExpressionBuilder
from embedded.ksql.language.expression_formatter import format_expression


@v_args(meta=True)
class QueryBuilder(ExpressionBuilder):
    """One method a rule of the grammar's section on queries."""

    def query(self, meta: Any, children: Children) -> ast.Query:
        """``SELECT … FROM …``."""
        source, joins = clause(children, "relation")
        return ast.Query(
            select=clause(children, "select"),
            source=source,
            joins=joins,
            window=clause(children, "window"),
            where=clause(children, "where"),
            group_by=clause(children, "group_by", ()),
            partition_by=clause(children, "partition_by", ()),
            having=clause(children, "having"),
            emit=clause(children, "emit"),
            limit=clause(children, "limit"),
            location=location(meta),
        )

    def select_list(self, _meta: Any, children: Children) -> Clause:
        """The projection."""
        return Clause("select", tuple(nodes(children)))

    def select_item(self, meta: Any, children: Children) -> ast.SelectItem:
        """``expression [[AS] alias]``."""
        alias = names(children)
        return ast.SelectItem(nodes(children)[0], alias[0] if alias else None, location=location(meta))

    def select_all(self, meta: Any, children: Children) -> ast.SelectAll:
        """``*`` or ``qualifier.*``."""
        qualifier = names(children)
        return ast.SelectAll(qualifier[0] if qualifier else None, location=location(meta))

    def select_struct_all(self, meta: Any, children: Children) -> ast.SelectStructAll:
        """``base->*``."""
        return ast.SelectStructAll(nodes(children)[0], location=location(meta))

    def relation(self, _meta: Any, children: Children) -> Clause:
        """``source join*``."""
        source, *joins = nodes(children)
        return Clause("relation", (source, tuple(joins)))

    def source(self, meta: Any, children: Children) -> ast.Source:
        """``name [[AS] alias]``."""
        name, *alias = names(children)
        return ast.Source(name, alias[0] if alias else None, location=location(meta))

    def join_kind(self, _meta: Any, children: Children) -> Clause:
        """``INNER``, ``LEFT OUTER`` and so on."""
        kinds = [child.type for child in children if isinstance(child, Token) and child.type != "OUTER"]
        return Clause("kind", kinds[0] if kinds else "INNER")

    def join(self, meta: Any, children: Children) -> ast.Join:
        """``kind JOIN source [WITHIN …] ON condition``."""
        source, condition = nodes(children)
        return ast.Join(
            clause(children, "kind"), source, condition, clause(children, "within"), location=location(meta)
        )

    def within(self, meta: Any, children: Children) -> Clause:
        """``WITHIN before [, after] [GRACE PERIOD grace]``."""
        durations = nodes(children)
        grace = clause(children, "within_grace")
        return Clause("within", ast.Within(durations[0], durations[-1], grace, location=location(meta)))

    def within_grace(self, _meta: Any, children: Children) -> Clause:
        """``GRACE PERIOD duration`` of a join."""
        return Clause("within_grace", nodes(children)[0])

    def window(self, _meta: Any, children: Children) -> Clause:
        """``WINDOW …``."""
        return Clause("window", nodes(children)[0])

    def window_expression(self, meta: Any, children: Children) -> ast.Window:
        """``TUMBLING (…)``, ``HOPPING (…)``, ``SESSION (…)``; a name before it means nothing, as in ksqlDB."""
        size, *advance = nodes(children)
        kind: Any = next(kind for kind in ("TUMBLING", "HOPPING", "SESSION") if has(children, kind))
        return ast.Window(
            kind,
            size,
            advance[0] if advance else None,
            clause(children, "retention"),
            clause(children, "grace"),
            location=location(meta),
        )

    def retention(self, _meta: Any, children: Children) -> Clause:
        """``RETENTION duration``."""
        return Clause("retention", nodes(children)[0])

    def grace(self, _meta: Any, children: Children) -> Clause:
        """``GRACE PERIOD duration``."""
        return Clause("grace", nodes(children)[0])

    def duration(self, meta: Any, children: Children) -> ast.Duration:
        """``value UNIT``."""
        value = int(tokens(children, "INTEGER")[0])
        return ast.Duration(value, clause(children, "unit"), location=location(meta))

    def unit(self, _meta: Any, children: Children) -> Clause:
        """A unit of time, in the singular."""
        return Clause("unit", children[0].type.removesuffix("S"))

    def where(self, _meta: Any, children: Children) -> Clause:
        """``WHERE condition``."""
        return Clause("where", nodes(children)[0])

    def group_by(self, _meta: Any, children: Children) -> Clause:
        """``GROUP BY …``."""
        return Clause("group_by", _listed("GROUP BY", children))

    def partition_by(self, _meta: Any, children: Children) -> Clause:
        """``PARTITION BY …``."""
        return Clause("partition_by", _listed("PARTITION BY", children))

    def expression_list(self, _meta: Any, children: Children) -> Clause:
        """``a, b``."""
        return Clause("expressions", tuple(nodes(children)))

    parenthesised_list = expression_list

    def having(self, _meta: Any, children: Children) -> Clause:
        """``HAVING condition``."""
        return Clause("having", nodes(children)[0])

    def emit(self, _meta: Any, children: Children) -> Clause:
        """``EMIT CHANGES``, ``EMIT FINAL``."""
        return Clause("emit", "FINAL" if has(children, "FINAL") else "CHANGES")

    def limit(self, _meta: Any, children: Children) -> Clause:
        """``LIMIT n``."""
        (number,) = nodes(children)
        if not isinstance(number, (ast.IntegerLiteral, ast.LongLiteral)):
            raise StatementError("Failed to prepare statement: Value must be integer for command: LIMIT")
        return Clause("limit", -number.value if has(children, "MINUS") else number.value)


def _listed(what: str, children: Children) -> tuple[ast.Expression, ...]:
    """Return the expressions of GROUP BY or PARTITION BY. Raises StatementError for none at all, and repeated ones."""
    expressions: tuple[ast.Expression, ...] = clause(children, "expressions")
    if not expressions:
        raise StatementError(f"Failed to prepare statement: {what} requires at least one expression")
    for again in repeated(expressions):
        raise StatementError(f"Failed to prepare statement: Duplicate {what} expression: {format_expression(again)}")
    return expressions
