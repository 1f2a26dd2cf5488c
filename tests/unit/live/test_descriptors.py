"""A process opens as many files as it may, and doors take no more of them than leaves the journal its own."""

from __future__ import annotations

import resource

import pytest

from core.config import DoorsConfig
from core.errors import InputError
from live.descriptors import LINGERING_MAX, RESERVE, raise_limit, shares


def limited(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, *, refuses: bool = False) -> list[tuple[int, int]]:
    """Limits of this process that only seem so; those that are set."""
    made: list[tuple[int, int]] = []

    def setrlimit(_what: int, limits: tuple[int, int]) -> None:
        if refuses:
            raise ValueError("not allowed to raise maximum limit")
        made.append(limits)

    monkeypatch.setattr(resource, "getrlimit", lambda _what: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    return made


def test_the_limit_is_raised_as_far_as_the_system_lets_it_be(monkeypatch: pytest.MonkeyPatch) -> None:
    made = limited(monkeypatch, 1_024, 4_096)
    assert raise_limit() == 4_096
    assert made == [(4_096, 4_096)]


def test_a_limit_that_is_there_already_or_cannot_be_raised_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limited(monkeypatch, 4_096, 4_096) == []
    assert raise_limit() == 4_096
    limited(monkeypatch, 1_024, resource.RLIM_INFINITY, refuses=True)
    assert raise_limit() == 1_024


def test_no_limit_is_more_than_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert shares(raise_limit(), DoorsConfig())["fix"] == DoorsConfig().fix_connections_max + LINGERING_MAX


@pytest.mark.parametrize("limit", [1_900, 4_096, 20_000])
def test_full_doors_leave_what_the_journal_and_the_pages_need(limit: int) -> None:
    doors = DoorsConfig()
    found = shares(limit, doors)
    assert sum(found.values()) + RESERVE <= limit
    assert found["fix"] >= doors.fix_connections_max
    assert min(found["orders"], found["bids"], found["claims"]) >= doors.solver_connections_max


def test_doors_that_do_not_fit_are_refused_with_what_would_do() -> None:
    with pytest.raises(InputError) as caught:
        shares(1_024, DoorsConfig())
    assert caught.value.message == "venue.doors: up to 1,768 connections, and this process may open 1,024 files"
    assert caught.value.hint.startswith("`ulimit -n 1896`, or lower ")
    assert shares(1_896, DoorsConfig())
