"""The public FIX 4.2 acceptance scripts against the session in virtual time, where the scripts are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.fix.dialect import Dialect
from core.fix.echo import ECHOED, Echo
from core.fix.settings import EngineConfig
from core.fix.shipped import dictionary
from tests.helpers.acceptance import Stage
from tests.helpers.fix import acceptor_config

SCRIPTS = Path(__file__).parents[3] / "shared" / "data" / "fix" / "acceptance" / "fix42"
FOUND = sorted(SCRIPTS.glob("*.def"))


def config() -> EngineConfig:
    return acceptor_config(
        "TW42",
        comp_id="ISLD",
        reset_on_logon=True,
        app_messages=ECHOED,
        dialect="plain",
        dialects={"plain": Dialect(dictionary("FIX.4.2"))},
    )


@pytest.mark.parametrize("script", FOUND or [None], ids=lambda it: it.stem if it else "none")
def test_an_acceptance_script_passes(script: Path | None) -> None:
    if script is None:
        pytest.skip(f"NO ACCEPTANCE SCRIPTS at {SCRIPTS}: what they demand is only tested in our own words")
    Stage(config(), Echo("app", "fix")).play(script)
