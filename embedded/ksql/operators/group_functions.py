"""An aggregation's steps as functions, for the operators whose inner loop is not generated as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedded.ksql.expressions.compiler import compile_predicate, compile_row_function
from embedded.ksql.operators.aggregate_code import AggregateCode
from embedded.ksql.operators.context import Context
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.pruning import count_bound
from embedded.ksql.operators.state_table import DEAD, State
from embedded.ksql.planning.plan import Aggregate, Filter

Window = tuple[int, int] | None
Inputs = tuple[Any, ...]


class GroupFunctions:
    """Everything that can be done with one group's state."""

    def __init__(self, node: Aggregate, having: Filter | None, context: Context) -> None:
        self.code = code = AggregateCode(node, context.library)
        self.node = node
        self.codec = code.codec
        self.extract = compile_row_function(
            code.inputs, node.input.schema, context.library, failures=context.fail, names=code.names
        )
        self.having: Callable[[Row], bool] | None = None
        if having is not None:
            self.having = compile_predicate(having.predicate, node.schema, context.library, failures=context.fail)
        prunable = having is not None and not node.is_table and (node.window is None or node.window.kind != "SESSION")
        #: which column of the value, once it exceeds which number, ends the group for good
        self.bound: tuple[int, int] | None = None
        if having is not None and prunable and (found := count_bound(having.predicate.expression, node)):
            self.bound = len(node.carried) + found[0], found[1]
        self._define()

    def _define(self) -> None:
        code = self.code
        taken = [f"{code.unpack_inputs} = a"] if code.unpack_inputs else []
        grown = [f"{code.unpack_state} = s", *taken, "if ts > t: t = ts"]
        packed = f"return {code.state('p')}"
        nulls = [f"{name} = None" for name in code.carried]
        names = "".join(f"{name}, " for name in code.carried)
        carried = [f"{names} = s[2:{2 + len(code.carried)}]"] if names else []
        define = code.define
        self.start: Callable[[], State] = define("start", "", ["t, p = -1, False", *nulls, *code.start(), packed])
        self.add: Callable[[State, Inputs, int], State] = define("add", "s, a, ts", [*grown, *code.add(), packed])
        self.undo: Callable[[State, Inputs, int], State] = define(
            "undo", "s, a, ts", [*grown, *code.add("undo"), packed]
        )
        self.value: Callable[[State], Inputs] = define(
            "value", "s", [f"{code.unpack_state} = s", *carried, f"return {code.value}"]
        )

    def merge(self, left: State, right: State) -> State:
        """Return the state of both; the left flag stays."""
        carried = len(self.code.carried)
        middle = [mine if mine is not None else other for mine, other in zip(left[2:], right[2:], strict=True)][
            :carried
        ]
        states = [
            function.merge(mine, other)
            for function, mine, other in zip(
                self.code.functions, left[2 + carried :], right[2 + carried :], strict=True
            )
        ]
        return (max(left[0], right[0]), left[1], *middle, *states)

    def decide(self, key: Inputs, state: State, window: Window, row: Row) -> tuple[State, Row | None]:
        """Return the state to keep and the row to put out: its value, a tombstone, or nothing, as HAVING says."""
        out = Row(key, self.value(state), state[0], window, row.partition, row.offset)
        if self.having is None or self.having(out):
            return (state[0], True, *state[2:]), out
        deleted = out._replace(value=None) if state[1] else None
        if self.bound is not None and out.value is not None and out.value[self.bound[0]] > self.bound[1]:
            return DEAD, deleted
        return (state[0], False, *state[2:]), deleted

    def row(self, key: bytes, state: State, window: Window) -> Row | None:
        """Return the group's row as pull queries see it: None if HAVING did not let it through."""
        if self.having is not None and not state[1]:
            return None
        return Row(self.codec.decode(key), self.value(state), state[0], window)
