"""`python -m live` is `romer-live`."""

from live.cli import main

main(prog_name="romer-live")
