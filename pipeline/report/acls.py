"""ACLs, for people."""

from __future__ import annotations

from collections.abc import Collection

from rich.markup import escape

from access.acls import Acl
from pipeline.report.console import out, table


def print_no_acls() -> None:
    """Print that there is nothing to allow."""
    out.print("the cluster authorises nobody: everybody may do everything, and ACLs cannot be set")


def print_acls(declared: Collection[Acl], allowed: Collection[Acl], missing: Collection[Acl]) -> None:
    """Print every ACL that is declared or allowed: = allowed, + missing, ! allowed but not declared."""
    shown = table("", "principal", "may", "on", "")
    for acl in sorted({*declared, *allowed}):
        if acl in missing:
            mark, note = "[green]+[/]", "not allowed yet"
        elif acl not in declared:
            mark, note = "[yellow]![/]", "not declared"
        else:
            mark, note = "[dim]=[/]", "" if acl in allowed else "by a broader one"
        shown.add_row(mark, escape(acl.principal), acl.operation, escape(acl.where), note)
    out.print(shown)
