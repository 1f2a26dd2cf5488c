"""What each Ctrl-C means, stage by stage."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from sim.cli import main
from sim.interrupt import Stage, ctrl_c, ctrl_c_raises
from sim.runner import run
from sim.whatif import whatif as comparing
from tests.helpers.scenarios import MINIMAL


def press() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("stage", [Stage.MARKET, Stage.RESULTS])
def test_the_first_is_told_with_its_stage_and_the_second_stops(stage: Stage) -> None:
    told: list[Stage] = []
    before = signal.getsignal(signal.SIGINT)
    with ctrl_c(told.append) as interrupt:
        interrupt.stage = stage
        press()
        assert (interrupt.pressed, told) == (True, [stage])
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                press()
    assert told == [stage]
    assert signal.getsignal(signal.SIGINT) is before


def test_nothing_cuts_publishing_short() -> None:
    told: list[Stage] = []
    with ctrl_c(told.append) as interrupt:
        interrupt.stage = Stage.PUBLISHING
        press()
        press()
    assert told == [Stage.PUBLISHING]


def test_other_threads_run_without() -> None:
    def work() -> None:
        with ctrl_c(lambda _stage: None) as interrupt, ctrl_c_raises():
            pressed.append(interrupt.pressed)

    pressed: list[bool] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert pressed == [False]


def test_a_what_if_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> None:
        assert list(tmp_path.glob("new/unfinished-*"))
        press()

    (tmp_path / "small.toml").write_text(MINIMAL)
    done = run(tmp_path / "small.toml", overrides=["run.duration=100ms"], out=tmp_path / "runs").dir
    monkeypatch.setattr(comparing.WhatIf, "compare", interrupted)
    arguments = ["whatif", str(done), "--set", "auction.rule=second_price", "--out", str(tmp_path / "new" / "one")]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stderr) == (130, "error: interrupted\n")
    assert not list((tmp_path / "new").iterdir())
