"""What `pipeline check` found, a line each, as editors and CI understand it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from rich.markup import escape

from pipeline.check.finding import Finding
from pipeline.report.console import out


def print_findings(findings: Sequence[Finding], files: int) -> None:
    """Print ``file:line: what, why, how to fix`` for each, or that there is none."""
    for finding in findings:
        parts = "; ".join(part for part in (finding.what, finding.why, finding.fix) if part)
        out.print(f"[bold]{escape(str(finding.path))}:{finding.line}[/]: {escape(parts)}")
    if findings:
        broken = len({one.path for one in findings})
        out.print(f"[bold red]{len(findings)} to put right[/] in {broken} of {files} files")
    else:
        out.print(f"[bold green]sound[/]: {files} files agree with each other")


def findings_json(findings: Sequence[Finding]) -> str:
    """Return the findings as JSON."""
    listed = [{**dataclasses.asdict(finding), "path": finding.path.as_posix()} for finding in findings]
    return json.dumps({"ok": not findings, "findings": listed})
