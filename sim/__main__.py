"""`python -m sim` is `romer-sim`."""

from sim.cli import main

main(prog_name="romer-sim")
