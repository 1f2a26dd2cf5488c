"""Progress goes to stderr: a plain line now and then where that is no terminal."""

from __future__ import annotations

import pytest

from core.units import SECOND
from sim.commands import progress as module
from sim.commands.progress import line, progress
from sim.course import Progress


def test_a_line_says_how_far_how_fast_and_how_long_still() -> None:
    now = Progress(elapsed=4 * SECOND, whole=16 * SECOND, deliveries=10_000)
    assert line(now, 2.0) == "4.0 of 16.0 s, 2.0 s wall, 5,000 events/s, 6 s left"
    assert line(Progress(0, SECOND, 0), 0.0).endswith("starting")


def test_lines_come_now_and_then(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    with progress("quickstart") as on_progress:
        for second in range(1, 13):
            clock[0] += 1
            on_progress(Progress(second * SECOND, 20 * SECOND, second))
    captured = capsys.readouterr()
    assert [text.partition(" s,")[0] for text in captured.err.splitlines()] == [
        "quickstart: 5.0 of 20.0",
        "quickstart: 10.0 of 20.0",
    ]
    assert captured.out == ""


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("quickstart", quiet=True) as on_progress:
        on_progress(Progress(SECOND, SECOND, 1))
    assert capsys.readouterr().err == ""
