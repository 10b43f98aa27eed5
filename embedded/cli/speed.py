"""The option of the commands that start servers: which of Java's compilers."""

import click

speed = click.option(
    "--fast-boot/--throughput",
    default=True,
    show_default=True,
    help="Java's quick compiler only, or the one that takes longer and makes faster code.",
)
