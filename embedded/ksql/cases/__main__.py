"""`python -m embedded.ksql.cases FILE.json …`: replay recorded cases in process, without any server."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from embedded.ksql.cases.replay import differences, load_cases


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--group", help="Only the cases of this group.")
@click.option("--name", help="Only the cases whose name contains this.")
def main(files: tuple[Path, ...], group: str | None, name: str | None) -> None:
    """Replay the cases of FILES and print each difference.

    Exit 1 if any case failed, 2 if a file is not in the format of cases (see embedded/ksql/README.md).
    """
    passed = failed = 0
    for file in files:
        try:
            cases = load_cases(file)
        except ValueError as error:
            click.echo(f"{file} is not in the format of cases: {error}; see embedded/ksql/README.md", err=True)
            sys.exit(2)
        for case in cases:
            if (group and case["group"] != group) or (name and name not in case["name"]):
                continue
            found = differences(case)
            failed, passed = failed + bool(found), passed + (not found)
            for difference in found:
                click.echo(f"{case['group']}: {case['name']}: {difference}")
    click.echo(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
