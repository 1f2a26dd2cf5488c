"""One recorded market that many what-ifs start from, and none changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.runner import run
from sim.whatif.comparison import Comparison
from sim.whatif.recording import Recording, read_recording
from sim.whatif.whatif import WhatIf
from tests.helpers.scenarios import changed

FOUR = """\
[[market_maker]]
id = "MM2"
balance = { ETH = "100", USDC = "100000" }
arrivals = { fixed = "30ms" }
cancel_per_mille = 200
immediate_per_mille = 300
whole_per_mille = 500
latency = { uniform = ["2ms", "9ms"] }

[[solver]]
id = "s2"
capital = { ETH = "100", USDC = "100000" }
bond = "1000"
latency = "5ms"

[[solver]]
id = "s3"
strategy = "unreliable"
capital = { ETH = "100", USDC = "100000" }
bond = "5000"

"""


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of two seconds of a market with two makers and three solvers, one of which defaults."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "small.toml").write_text(
        changed(('duration = "1s"', 'duration = "2s"'), ("[[market_maker]]", f"{FOUR}[[market_maker]]"))
    )
    directory = run(folder / "small.toml", out=folder).dir
    assert directory is not None
    return directory


@pytest.fixture(scope="session")
def recording(recorded: Path) -> Recording:
    return read_recording(recorded)


def compare(recorded: Path, *overrides: str, replaced: tuple[str, ...] = ()) -> Comparison:
    """What comes of it."""
    what = WhatIf(recorded, overrides, replaced)
    return what.compare(what.baseline())
