"""Python source of the loop that adds a batch of a stream's rows to their groups."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.ksql.operators.aggregate_code import AggregateCode

INDENT = "    "


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """What the loop has to do; ``partition`` is the source of a row's partition, None if keys are to be hashed."""

    is_windowed: bool
    is_tumbling: bool
    has_having: bool
    cache: bool
    partition: str | None
    bound: tuple[int, int] | None


def loop_source(code: AggregateCode, options: LoopOptions) -> list[str]:
    """Return the body of ``process(rows)``, which returns the output rows."""
    key = code.codec.template.format(*code.keys)
    lines = [
        "out = []",
        "push = out.append",
        "current = None",
        *([] if options.is_windowed else _open("keyed_table")),
        "for row in rows:",
        "    if row[1] is None: continue",
        f"    {code.unpack_inputs or '_nothing'} = extract(row)",
        f"    if {code.is_keyless}: continue",
        f"    k = {key}",
        "    ts = row[2]",
    ]
    if options.is_windowed:
        lines += _indented(_windows(options))
        lines += _indented(_group(code, options), 1 if options.is_tumbling else 2)
    else:
        lines.append("    w = None")
        lines += _indented(_group(code, options))
    return [*lines, "return out"]


def _open(table: str) -> list[str]:
    return [f"table = {table}", "changed, recent, packed = table.changed, table.recent, table.packed"]


def _indented(lines: list[str], depth: int = 1) -> list[str]:
    return [INDENT * depth + line for line in lines]


def _windows(options: LoopOptions) -> list[str]:
    """Advance the clock, then find each window of the row that is not closed."""
    if options.partition is not None:
        observe = [f"if c > closed.get({options.partition}, NEVER): observe({options.partition}, c)"]
        late = f"if i <= closed.get({options.partition}, NEVER): continue"
    else:
        observe = ["if c > clock.lowest: observe(partition_of(k, row), c)"]
        late = "if i <= clock.highest and clock.is_closed(partition_of(k, row), i): continue"
    each = [
        late,
        "if i != current:",
        *_indented(_open("open_window(i)")),
        "    current = i",
        "    w = (i * ADVANCE, i * ADVANCE + SIZE)",
    ]
    head = ["c = (ts - CLOSE) // ADVANCE", *observe]
    if options.is_tumbling:
        return [*head, "i = ts // ADVANCE", *each]
    return [*head, "for i in range(first_window(ts), ts // ADVANCE + 1):", *_indented(each)]


def _group(code: AggregateCode, options: LoopOptions) -> list[str]:
    """Find the group's state, add the row, decide what to put out."""
    lines = [
        "s = changed.get(k)",
        "if s is None:",
        "    s = recent.get(k)",
        "    if s is None and k in packed: s = table.load(k)",
        "if s is None:",
        "    t, p = ts, False",
        *_indented(code.start()),
        "elif not s: continue",
        "else:",
        f"    {code.unpack_state} = s",
        "    if ts > t: t = ts",
        *code.add(),
    ]
    if options.cache:
        index = "i" if options.is_windowed else "0"
        return [*lines, f"changed[k] = {code.state('p')}", f"pending[{index}, k] = ({code.key}, w, row)"]
    made = f"new(Row, ({code.key}, v, t, w, row[4], row[5]))"
    lines.append(f"v = {code.value}")
    if not options.has_having:
        return [*lines, f"changed[k] = {code.state('True')}", f"push({made})"]
    gone = code.state("False")
    if options.bound is not None:
        gone = f"DEAD if v[{options.bound[0]}] > {options.bound[1]} else {gone}"
    return [
        *lines,
        f"o = {made}",
        "if having(o):",
        f"    changed[k] = {code.state('True')}",
        "    push(o)",
        "else:",
        f"    if p: push(new(Row, ({code.key}, None, t, w, row[4], row[5])))",
        f"    changed[k] = {gone}",
    ]
