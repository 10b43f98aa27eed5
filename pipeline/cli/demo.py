"""`pipeline demo`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from pipeline.cli.numbers import COUNT
from pipeline.cli.produce import produce_with_progress
from pipeline.clients.embedded import EmbeddedStack
from pipeline.declared.files import read_files
from pipeline.deploy import all as deployment
from pipeline.observe.analytics import Analytics, read_analytics
from pipeline.report.analytics import print_analytics
from pipeline.report.changes import print_outcomes
from pipeline.report.console import err, out
from pipeline.report.demo import print_addresses, print_step, print_steps
from pipeline.report.verification import print_verification
from pipeline.settings import Location, Settings, load_stack_settings
from pipeline.verify.verification import Verification
from pipeline.verify.verify import VerifyRequest, verify
from producer.run import ProduceRequest

DUPLICATES = 0.05
VERIFY_SECONDS = 300.0


class Steps:
    """Announces each step and keeps how long it took, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Time what is done within."""
        print_step(len(self.seconds) + 1, title)
        begun = time.monotonic()
        yield
        self.seconds[title] = time.monotonic() - begun


@click.command()
@click.option("--events", default=10_000, show_default=True, type=COUNT, help="How many events.")
@click.option("--keep", is_flag=True, help="Leave the servers running to look around.")
@click.pass_context
def demo(context: click.Context, events: int, *, keep: bool) -> None:
    """Run everything once on a stack of its own: start, deploy, produce, verify, show, stop; exit 1 if not exact.

    It never touches other servers, whatever PIPELINE_* says, nor the stack of `pipeline up`.

    Example: pipeline demo --events 50000 --keep
    """
    location: Location = context.obj
    own = location.model_copy(update={"state_dir": location.state_dir / "demo"})
    stack, steps = EmbeddedStack(own.state_dir), Steps()
    try:
        outcome, analytics = _run(own, stack, steps, events)
        out.print()
        print_analytics(analytics)
        print_verification(outcome)
        if keep:
            print_addresses(own.state_dir, load_stack_settings(own))
    finally:
        if not keep:
            with steps.step("stop the servers"):
                stack.down(delete_data=True)
    print_steps(steps.seconds)
    context.exit(0 if outcome.ok else 1)


def _run(location: Location, stack: EmbeddedStack, steps: Steps, events: int) -> tuple[Verification, Analytics]:
    with steps.step("start Kafka, Schema Registry, Connect, PostgreSQL and the ksql engine"):
        stack.up()
    settings = load_stack_settings(location)
    with steps.step("deploy topics, schemas, tables, ksql and connectors"):
        print_outcomes(deployment.deploy(read_files(location.project_dir), settings))
    with steps.step(f"produce {events:,} events, {DUPLICATES:.0%} of them twice"):
        report = produce_with_progress(_request(settings, events))
        out.print(f"{report.acknowledged:,} records acknowledged, {report.duplicates:,} of them sent again")
    with steps.step("wait until all are through, and verify every one"), err.status("verifying …") as spinner:
        outcome = verify(
            settings,
            VerifyRequest(timeout_seconds=VERIFY_SECONDS),
            progress=spinner.update,
        )
    return outcome, read_analytics(settings.postgres_dsn)


def _request(settings: Settings, events: int) -> ProduceRequest:
    return ProduceRequest(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        schema_registry=settings.schema_registry,
        kafka_config=settings.kafka_config(),
        events=events,
        mode="session",
        duplicates=DUPLICATES,
        with_users=True,
    )
