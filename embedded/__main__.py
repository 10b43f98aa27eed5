"""`python -m embedded`: what `pipeline up`, `down` and `status` run."""

from embedded.cli import main

main(prog_name="python -m embedded")
