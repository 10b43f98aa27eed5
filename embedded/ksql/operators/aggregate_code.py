"""Python source for an aggregation: its state is one tuple, its inner loop has no call per aggregate if it can.

A state is ``(timestamp, flag, carried…, state of each aggregate…)``. The flag says whether HAVING let the group's
row through, so that a tombstone follows only then. Aggregates whose functions give templates become expressions
within the loop; the others are called.
"""

from __future__ import annotations

from typing import Any

from embedded.ksql.functions.interface import FunctionLibrary, ResolvedAggregate
from embedded.ksql.functions.java_maps import DEFAULT_CAPACITY, arranged
from embedded.ksql.language.rewriting import walk
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.keys import KeyCodec
from embedded.ksql.operators.packing import pack
from embedded.ksql.operators.state_table import DEAD
from embedded.ksql.planning.aggregation import constants_of
from embedded.ksql.planning.plan import Aggregate, AggregateCall, Source, TypedExpression
from embedded.ksql.types import Base


def resolve(call: AggregateCall, library: FunctionLibrary) -> ResolvedAggregate:
    """Return the call's function as the planner resolved it."""
    constants = constants_of([argument.expression for argument in call.arguments])
    return library.resolve_aggregate(call.function, [argument.type for argument in call.arguments], constants)


class AggregateCode:
    """The pieces of source for one ``Aggregate`` node, and the namespace in which they run."""

    def __init__(self, node: Aggregate, library: FunctionLibrary) -> None:
        self.node = node
        self.functions = [resolve(call, library) for call in node.calls]
        self.codec = KeyCodec(node.schema.key)
        #: what is computed from each input row: keys, carried columns, distinct arguments
        self.inputs: list[TypedExpression] = [column.value for column in (*node.keys, *node.carried)]
        self._arguments: list[list[str]] = [
            [self._local(argument) for argument in call.arguments[: function.column_arguments]]
            for call, function in zip(node.calls, self.functions, strict=True)
        ]
        self.keys = [f"k{index}" for index in range(len(node.keys))]
        self.carried = [f"c{index}" for index in range(len(node.carried))]
        self._states = [f"s{index}" for index in range(len(node.calls))]
        self.namespace: dict[str, Any] = {
            "Row": Row,
            "DEAD": DEAD,
            "new": tuple.__new__,
            "pack": pack,
            "arranged": arranged,
        }
        sources = (part for part in walk(node.input) if isinstance(part, Source))
        #: what maps are made with when ksqlDB reads them back from a state, which has the first source's format
        self._capacity = DEFAULT_CAPACITY if next(sources).value_format.name == "AVRO" else None
        for index, function in enumerate(self.functions):
            for name in ("initial", "add", "undo", "merge", "result"):
                self.namespace[f"{name}{index}"] = getattr(function, name, None)

    def _local(self, argument: TypedExpression) -> str:
        fixed = len(self.node.keys) + len(self.node.carried)
        known = self.inputs[fixed:]
        if argument not in known:
            self.inputs.append(argument)
            known.append(argument)
        return f"x{known.index(argument)}"

    @property
    def names(self) -> list[str]:
        """The inputs' names, for failure messages."""
        named = [column.name for column in (*self.node.keys, *self.node.carried)]
        return named + ["" for _ in self.inputs[len(named) :]]

    @property
    def unpack_inputs(self) -> str:
        """Left side that takes the computed inputs of a row apart."""
        arguments = [f"x{index}" for index in range(len(self.inputs) - len(self.keys) - len(self.carried))]
        return "".join(f"{name}, " for name in (*self.keys, *self.carried, *arguments))

    @property
    def unpack_state(self) -> str:
        """Left side that takes a state apart; what the new row carries replaces what the state does."""
        return "".join(f"{name}, " for name in ("t", "p", *("_" for _ in self.carried), *self._states))

    def state(self, flag: str) -> str:
        """Right side that puts a state together."""
        return "(" + "".join(f"{name}, " for name in ("t", flag, *self.carried, *self._states)) + ")"

    def start(self) -> list[str]:
        """Statements that begin a group."""
        return [
            f"s{index} = {function.inline_initial or f'initial{index}()'}"
            for index, function in enumerate(self.functions)
        ]

    def add(self, method: str = "add") -> list[str]:
        """Statements that add (or undo) the row's arguments."""
        lines = []
        for index, function in enumerate(self.functions):
            arguments = self._arguments[index]
            if method == "add" and function.inline_add is not None:
                lines.append(f"s{index} = {function.inline_add.format(*arguments, s=f's{index}')}")
            else:
                lines.append(f"s{index} = {method}{index}({', '.join((f's{index}', *arguments))})")
        return lines

    def result(self, index: int) -> str:
        """The value of one aggregate."""
        template = self.functions[index].inline_result
        value = f"result{index}(s{index})" if template is None else template.format(s=f"s{index}")
        return f"arranged({value}, {self._capacity})" if self.node.calls[index].type.base is Base.MAP else value

    @property
    def value(self) -> str:
        """The row's value: carried columns, then aggregates."""
        results = [f"({self.result(index)})" for index in range(len(self.functions))]
        return "(" + "".join(f"{part}, " for part in (*self.carried, *results)) + ")"

    @property
    def key(self) -> str:
        """The row's key."""
        return "(" + "".join(f"{name}, " for name in self.keys) + ")"

    @property
    def is_keyless(self) -> str:
        """Condition under which the row has no group."""
        return " or ".join(f"{name} is None" for name in self.keys) or "False"

    def define(self, name: str, head: str, body: list[str]) -> Any:
        """Execute a function definition and return the function."""
        source = f"def {name}({head}):\n" + "".join(f"    {line}\n" for line in body)
        exec(compile(source, f"<ksql {name}>", "exec"), self.namespace)  # noqa: S102 - our own templates
        return self.namespace[name]
