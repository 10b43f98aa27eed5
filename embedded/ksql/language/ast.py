"""The syntax tree: what the parser returns and the planner reads. Pure data, no behaviour.

Identifiers are already normalised (unquoted ones upper-cased, back-quoted ones kept). ``Location`` is
1-based line and column within the text that was parsed, as ksqlDB prints them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from embedded.ksql.types import SqlType


@dataclass(frozen=True, slots=True)
class Location:
    """Where a node starts: 1-based line and column."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Anything the parser makes; the location does not count in comparisons."""

    location: Location | None = field(default=None, compare=False, repr=False)


# ---- expressions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NullLiteral(Node):
    """NULL."""


@dataclass(frozen=True, slots=True)
class BooleanLiteral(Node):
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class IntegerLiteral(Node):
    """A literal that fits 32 bits."""

    value: int


@dataclass(frozen=True, slots=True)
class LongLiteral(Node):
    """A whole literal beyond 32 bits."""

    value: int


@dataclass(frozen=True, slots=True)
class DoubleLiteral(Node):
    """A literal with an exponent."""

    value: float


@dataclass(frozen=True, slots=True)
class DecimalLiteral(Node):
    """A literal with a decimal point."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class StringLiteral(Node):
    """'text'; ``bare`` where it is a unit of time as a function's argument, e.g. ``TIMESTAMPADD(DAYS, 1, t)``."""

    value: str
    bare: bool = False


@dataclass(frozen=True, slots=True)
class BytesLiteral(Node):
    """X'…'."""

    value: bytes


@dataclass(frozen=True, slots=True)
class ColumnReference(Node):
    """``name`` or ``qualifier.name``."""

    name: str
    qualifier: str | None = None


@dataclass(frozen=True, slots=True)
class Dereference(Node):
    """``base->field``."""

    base: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Subscript(Node):
    """``base[index]``."""

    base: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """``left op right``."""

    operator: Literal["+", "-", "*", "/", "%"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Negation(Node):
    """Unary ``-`` or ``+``."""

    operator: Literal["+", "-"]
    operand: Expression


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """``left op right``; ``!=`` is parsed as ``<>``."""

    operator: Literal["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Logical(Node):
    """AND, OR."""

    operator: Literal["AND", "OR"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Not(Node):
    """NOT."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class IsNull(Node):
    """``operand IS [NOT] NULL``."""

    operand: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between(Node):
    """``operand BETWEEN low AND high`` (NOT is a surrounding ``Not``)."""

    operand: Expression
    low: Expression
    high: Expression


@dataclass(frozen=True, slots=True)
class InList(Node):
    """``operand IN (…)`` (NOT is a surrounding ``Not``)."""

    operand: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Like(Node):
    """``operand LIKE pattern [ESCAPE char]`` (NOT is a surrounding ``Not``)."""

    operand: Expression
    pattern: Expression
    escape: str | None = None


@dataclass(frozen=True, slots=True)
class When(Node):
    """One WHEN … THEN …."""

    condition: Expression
    result: Expression


@dataclass(frozen=True, slots=True)
class SearchedCase(Node):
    """CASE WHEN … THEN … [ELSE …] END."""

    whens: tuple[When, ...]
    default: Expression | None = None


@dataclass(frozen=True, slots=True)
class SimpleCase(Node):
    """CASE operand WHEN … END: parsed, refused later as ksqlDB does."""

    operand: Expression
    whens: tuple[When, ...]
    default: Expression | None = None


@dataclass(frozen=True, slots=True)
class Cast(Node):
    """CAST(operand AS type)."""

    operand: Expression
    type: SqlType


@dataclass(frozen=True, slots=True)
class FunctionCall(Node):
    """``NAME(arguments)``; COUNT(*) has no argument."""

    name: str
    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Lambda(Node):
    """``(x, y) => body``; only as a function's argument."""

    parameters: tuple[str, ...]
    body: Expression


@dataclass(frozen=True, slots=True)
class LambdaVariable(Node):
    """A lambda's parameter, where its body uses it."""

    name: str


@dataclass(frozen=True, slots=True)
class ArrayConstructor(Node):
    """ARRAY[…]."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class MapConstructor(Node):
    """MAP(k := v, …)."""

    entries: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class StructConstructor(Node):
    """STRUCT(name := value, …)."""

    fields: tuple[tuple[str, Expression], ...]


Expression: TypeAlias = (
    NullLiteral
    | BooleanLiteral
    | IntegerLiteral
    | LongLiteral
    | DoubleLiteral
    | DecimalLiteral
    | StringLiteral
    | BytesLiteral
    | ColumnReference
    | Dereference
    | Subscript
    | Arithmetic
    | Negation
    | Comparison
    | Logical
    | Not
    | IsNull
    | Between
    | InList
    | Like
    | SearchedCase
    | SimpleCase
    | Cast
    | FunctionCall
    | Lambda
    | LambdaVariable
    | ArrayConstructor
    | MapConstructor
    | StructConstructor
)


# ---- queries -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SelectItem(Node):
    """``expression [AS alias]``."""

    expression: Expression
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class SelectAll(Node):
    """``*``, or ``qualifier.*``."""

    qualifier: str | None = None


@dataclass(frozen=True, slots=True)
class SelectStructAll(Node):
    """``base->*``."""

    base: Expression


@dataclass(frozen=True, slots=True)
class Duration(Node):
    """``value UNIT`` with the unit in singular upper case, e.g. 3 and ``DAY``."""

    value: int
    unit: str

    @property
    def milliseconds(self) -> int:
        """The duration in milliseconds."""
        return self.value * UNIT_MILLISECONDS[self.unit]


UNIT_MILLISECONDS = {
    "MILLISECOND": 1,
    "SECOND": 1_000,
    "MINUTE": 60_000,
    "HOUR": 3_600_000,
    "DAY": 86_400_000,
    "WEEK": 604_800_000,
    "MONTH": 2_592_000_000,
    "YEAR": 31_536_000_000,
}


@dataclass(frozen=True, slots=True)
class Window(Node):
    """WINDOW TUMBLING | HOPPING | SESSION (…). For SESSION, ``size`` is the inactivity gap."""

    kind: Literal["TUMBLING", "HOPPING", "SESSION"]
    size: Duration
    advance: Duration | None = None
    retention: Duration | None = None
    grace: Duration | None = None


@dataclass(frozen=True, slots=True)
class Source(Node):
    """A stream or table in FROM, with its alias."""

    name: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Within(Node):
    """WITHIN before, after [GRACE PERIOD grace]; equal where one duration was given."""

    before: Duration
    after: Duration
    grace: Duration | None = None


@dataclass(frozen=True, slots=True)
class Join(Node):
    """One JOIN to the right of what came before it."""

    kind: Literal["INNER", "LEFT", "RIGHT", "FULL"]
    source: Source
    condition: Expression
    within: Within | None = None


@dataclass(frozen=True, slots=True)
class Query(Node):
    """SELECT …; ``emit`` is None where the text had no EMIT clause (a pull query, if not in a CREATE … AS)."""

    select: tuple[SelectItem | SelectAll | SelectStructAll, ...]
    source: Source
    joins: tuple[Join, ...] = ()
    window: Window | None = None
    where: Expression | None = None
    group_by: tuple[Expression, ...] = ()
    partition_by: tuple[Expression, ...] = ()
    having: Expression | None = None
    emit: Literal["CHANGES", "FINAL"] | None = None
    limit: int | None = None


# ---- statements --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnDefinition(Node):
    """``name type [KEY | PRIMARY KEY | HEADER('…') | HEADERS]``."""

    name: str
    type: SqlType
    constraint: Literal["KEY", "PRIMARY KEY", "HEADER", "HEADERS"] | None = None
    header: str | None = None


Literal_: TypeAlias = (
    NullLiteral | BooleanLiteral | IntegerLiteral | LongLiteral | DoubleLiteral | DecimalLiteral | StringLiteral
)
Properties: TypeAlias = tuple[tuple[str, Literal_], ...]
SourceKind: TypeAlias = Literal["STREAM", "TABLE"]


@dataclass(frozen=True, slots=True)
class CreateSource(Node):
    """CREATE [OR REPLACE] [SOURCE] STREAM | TABLE [IF NOT EXISTS] name (columns) WITH (…)."""

    kind: SourceKind
    name: str
    columns: tuple[ColumnDefinition, ...]
    properties: Properties = ()
    or_replace: bool = False
    if_not_exists: bool = False
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class CreateAsSelect(Node):
    """CREATE [OR REPLACE] STREAM | TABLE [IF NOT EXISTS] name WITH (…) AS SELECT …."""

    kind: SourceKind
    name: str
    query: Query
    properties: Properties = ()
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class InsertSelect(Node):
    """INSERT INTO name [WITH (…)] SELECT …."""

    target: str
    query: Query
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class InsertValues(Node):
    """INSERT INTO name [(columns)] VALUES (…)."""

    target: str
    columns: tuple[str, ...]
    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class DropSource(Node):
    """DROP STREAM | TABLE [IF EXISTS] name [DELETE TOPIC]."""

    kind: SourceKind
    name: str
    if_exists: bool = False
    delete_topic: bool = False


@dataclass(frozen=True, slots=True)
class ControlQuery(Node):
    """TERMINATE | PAUSE | RESUME query-id or ALL (``query`` is None)."""

    action: Literal["TERMINATE", "PAUSE", "RESUME"]
    query: str | None


@dataclass(frozen=True, slots=True)
class SetProperty(Node):
    """SET 'name'='value'."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class UnsetProperty(Node):
    """UNSET 'name'."""

    name: str


@dataclass(frozen=True, slots=True)
class DefineVariable(Node):
    """DEFINE name = 'value'."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class UndefineVariable(Node):
    """UNDEFINE name."""

    name: str


@dataclass(frozen=True, slots=True)
class Show(Node):
    """SHOW | LIST what [EXTENDED]; ``ALL TOPICS`` is what = "ALL TOPICS"."""

    what: Literal[
        "STREAMS",
        "TABLES",
        "QUERIES",
        "TOPICS",
        "ALL TOPICS",
        "FUNCTIONS",
        "PROPERTIES",
        "TYPES",
        "VARIABLES",
        "CONNECTORS",
    ]
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Describe(Node):
    """DESCRIBE name [EXTENDED], or DESCRIBE STREAMS | TABLES (``name`` is None)."""

    name: str | None
    extended: bool = False
    what: Literal["STREAMS", "TABLES"] | None = None


@dataclass(frozen=True, slots=True)
class DescribeFunction(Node):
    """DESCRIBE FUNCTION name."""

    name: str


@dataclass(frozen=True, slots=True)
class Explain(Node):
    """EXPLAIN query-id, or EXPLAIN statement."""

    query: str | None = None
    statement: Statement | None = None


@dataclass(frozen=True, slots=True)
class PrintTopic(Node):
    """PRINT topic [FROM BEGINNING] [INTERVAL n] [LIMIT n]."""

    topic: str
    from_beginning: bool = False
    interval: int = 1
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class RegisterType(Node):
    """CREATE TYPE [IF NOT EXISTS] name AS type."""

    name: str
    type: SqlType
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropType(Node):
    """DROP TYPE [IF EXISTS] name."""

    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class AssertTopic(Node):
    """ASSERT [NOT EXISTS] TOPIC name [WITH (…)] [TIMEOUT duration]."""

    topic: str
    properties: Properties = ()
    timeout: Duration | None = None
    exists: bool = True


@dataclass(frozen=True, slots=True)
class AssertSchema(Node):
    """ASSERT [NOT EXISTS] SCHEMA [SUBJECT name] [ID n] [TIMEOUT duration]."""

    subject: str | None = None
    id: int | None = None
    timeout: Duration | None = None
    exists: bool = True


@dataclass(frozen=True, slots=True)
class AlterSource(Node):
    """ALTER STREAM | TABLE name ADD COLUMN …."""

    kind: SourceKind
    name: str
    columns: tuple[ColumnDefinition, ...]


@dataclass(frozen=True, slots=True)
class UnsupportedStatement(Node):
    """Something ksqlDB knows and this engine does not, e.g. CREATE SINK CONNECTOR; refused by name."""

    what: str


Statement: TypeAlias = (
    Query
    | CreateSource
    | CreateAsSelect
    | InsertSelect
    | InsertValues
    | DropSource
    | ControlQuery
    | SetProperty
    | UnsetProperty
    | DefineVariable
    | UndefineVariable
    | Show
    | Describe
    | DescribeFunction
    | Explain
    | PrintTopic
    | RegisterType
    | DropType
    | AssertTopic
    | AssertSchema
    | AlterSource
    | UnsupportedStatement
)
