"""What commands refuse before they ask any server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from pipeline.cli.addresses import HostPort
from pipeline.cli.main import main
from pipeline.cli.moments import Moment
from pipeline.cli.produce import Span
from tests.unit.pipeline.test_help import EVERY


def options() -> Iterator[tuple[tuple[str, ...], click.Option]]:
    """Yield each option that takes a value, with the command whose it is."""
    for command in [(), *EVERY]:
        found: click.Command = main
        for name in command:
            assert isinstance(found, click.Group)
            found = found.get_command(click.Context(found), name) or found
        yield from (
            (command, one)
            for one in found.params
            if isinstance(one, click.Option) and not one.is_flag and not one.count
        )


NUMBERS = ("nan", "inf", "-inf", "-1", "1e400", "1" + "0" * 5000, "x")
ODD: dict[type[click.ParamType[Any]], tuple[str, ...]] = {
    click.types.FloatRange: NUMBERS,
    click.types.IntRange: (*NUMBERS, "0", "1.5"),
    Span: ("1", "-1d", "9999999999d", "1" + "0" * 5000 + "s", "1y"),
    Moment: ("1", "-1d", "9999999999d", "900000d", "2026-02-30", "1" + "0" * 5000 + "s"),
    HostPort: ("9808", ":9808", "a:", "a:-1", "a:65536", "a:" + "9" * 5000, "a:1.5"),
}
CASES = [
    (command, option.opts[0], value)
    for command, option in options()
    for kind, values in ODD.items()
    if isinstance(option.type, kind)
    for value in values
]


@pytest.mark.parametrize(
    ("command", "option", "value"),
    CASES,
    ids=[f"{' '.join(command)} {option} {v[:12]}" for command, option, v in CASES],
)
def test_a_value_that_makes_no_sense_is_a_usage_error_that_names_the_option(
    command: tuple[str, ...], option: str, value: str
) -> None:
    outcome = CliRunner().invoke(main, [*command, f"{option}={value}"])
    assert outcome.exit_code == 2, outcome.output
    assert option in outcome.output


@pytest.mark.parametrize(("command", "option"), [(command, option.opts[0]) for command, option in options()])
@pytest.mark.parametrize("form", ["{}=", "{}"])
def test_a_value_that_is_empty_is_a_usage_error_that_names_the_option(
    command: tuple[str, ...], option: str, form: str
) -> None:
    outcome = CliRunner().invoke(main, [*command, form.format(option), *([""] if form == "{}" else [])])
    assert outcome.exit_code == 2
    assert f"{option} is empty" in outcome.output


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_no_argument_is_empty_or_other_than_utf_8(command: tuple[str, ...]) -> None:
    for argument, complaint in (("", "an argument is empty"), ("\udcff", "is not UTF-8")):
        outcome = CliRunner().invoke(main, [*command, argument])
        assert (outcome.exit_code, complaint in outcome.output) == (2, True)


def test_every_number_has_its_limits() -> None:
    kinds = (click.types.FloatParamType, click.types.IntParamType)
    unlimited = [
        (command, option.opts[0])
        for command, option in options()
        if isinstance(option.type, kinds) and getattr(option.type, "max", None) is None
    ]
    assert unlimited == [(("produce",), "--seed")]


@pytest.mark.parametrize("interval", ["10", "0s", "-1s", "10 s", "1.5s"])
def test_an_interval_of_prometheus_is_one(interval: str) -> None:
    outcome = CliRunner().invoke(main, ["prometheus-config", "--interval", interval])
    assert outcome.exit_code == 2
    assert "--interval" in outcome.output


@pytest.mark.parametrize("exporter", ["127.0.0.1:9808", "[::1]:9808", "exporter:80"])
def test_prometheus_is_told_where_the_exporter_is_as_it_was_written(exporter: str) -> None:
    addresses = {"KAFKA_BOOTSTRAP_SERVERS": "k:1", "POSTGRES_DSN": "postgresql://p/db"}
    addresses |= dict.fromkeys(("SCHEMA_REGISTRY_URL", "CONNECT_URL", "KSQLDB_URL"), "http://h:1")
    environment = {f"PIPELINE_{name}": value for name, value in addresses.items()}
    outcome = CliRunner().invoke(main, ["prometheus-config", "--exporter", exporter], env=environment)
    assert outcome.exit_code == 0, outcome.output
    assert [exporter] in [
        job["static_configs"][0]["targets"] for job in yaml.safe_load(outcome.output)["scrape_configs"]
    ]


@pytest.mark.parametrize("option", ["--reason", "--connector", "--user"])
def test_an_empty_filter_chooses_no_letters_to_discard(option: str) -> None:
    outcome = CliRunner().invoke(main, ["dlq", "discard", option, "", "--why", "tired of them"])
    assert outcome.exit_code == 2
    assert f"{option} is empty" in outcome.output


def test_letters_are_discarded_by_a_filter_or_all_of_them() -> None:
    outcome = CliRunner().invoke(main, ["dlq", "discard", "--why", "tired of them"])
    assert outcome.exit_code == 2
    assert "which letters? Name a filter, or --all" in outcome.output


@pytest.mark.parametrize("sql", ["LIST STREAMS; DROP TABLE x;", "SELECT 1;\nSELECT 2", "PRINT 'a'; PRINT 'b';"])
def test_a_query_is_one_statement(sql: str) -> None:
    outcome = CliRunner().invoke(main, ["query", sql])
    assert outcome.exit_code == 2
    assert "one statement at a time" in outcome.output


def test_a_quote_that_is_not_closed_is_no_query() -> None:
    assert CliRunner().invoke(main, ["query", "SELECT 'a FROM b;"]).exit_code == 2


def test_nobody_has_an_empty_id() -> None:
    outcome = CliRunner().invoke(main, ["erase", "", "--yes"])
    assert outcome.exit_code == 2
    assert "an argument is empty" in outcome.output


def test_debugging_shows_the_traceback_and_keeps_the_exit_code(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(main, ["--debug", "--profile", "none-such", "--project", str(tmp_path), "plan"])
    assert outcome.exit_code == 2
    assert "Traceback" in outcome.stderr
    assert "error:" in outcome.stderr
