"""ACLs, for people."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.markup import escape

from access.acls import Acl
from pipeline.report.console import out, table

_OPEN = "the cluster authorises nobody: everybody may do everything, and ACLs cannot be set"


def print_acls(declared: Sequence[Acl], there: Collection[Acl]) -> None:
    """Print every ACL that is declared or there: = both, + declared only, ! there only."""
    shown = table("", "principal", "may", "on", "")
    for acl in sorted({*declared, *there}):
        mark, note = _compared(acl in declared, acl in there)
        where = "the cluster" if acl.resource == "cluster" else f"{acl.resource.replace('_', ' ')} {acl.name}"
        name = f"{where}{'*' if acl.prefixed else ''}"
        shown.add_row(mark, escape(acl.principal), acl.operation, escape(name), note)
    out.print(shown)


def print_applied(missing: Sequence[Acl] | None, declared: int) -> None:
    """Print what was allowed just now."""
    if missing is None:
        out.print(_OPEN)
        return
    for acl in missing:
        out.print(f"[green]+[/] {escape(str(acl))}")
    if missing:
        out.print(f"{len(missing)} of {declared} declared ACLs added")
    else:
        out.print(f"nothing to do: all {declared} declared ACLs are there")


def _compared(declared: bool, there: bool) -> tuple[str, str]:
    """Return the mark and the note of a line."""
    if declared and there:
        return "[dim]=[/]", ""
    return ("[green]+[/]", "not allowed yet") if declared else ("[yellow]![/]", "not declared")
