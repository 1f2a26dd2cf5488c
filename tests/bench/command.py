"""How a bench is run: `python -m tests.bench.NAME`, or with `--tiny` to see within seconds whether it still works."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

Sizes = TypeVar("Sizes")


def run_bench(main: Callable[[Sizes], None], full: Sizes, tiny: Sizes) -> None:
    """Run a bench with the sizes that the command line asks for. What tiny ones print means nothing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tiny", action="store_true", help="with numbers too small to mean anything")
    main(tiny if parser.parse_args().tiny else full)
