"""The two tables: what may happen to a market maker and to a key, and that nothing may after the end."""

from __future__ import annotations

import pytest

from core.errors import IllegalTransition
from core.identity.states import KEYS, MAKERS, KeyStatus, KeyStep, MakerStatus, MakerStep


def test_revoked_is_the_only_end() -> None:
    assert [status for status in MakerStatus if MAKERS.is_terminal(status)] == ["revoked"]
    assert [status for status in KeyStatus if KEYS.is_terminal(status)] == ["revoked"]


@pytest.mark.parametrize("step", list(MakerStep))
def test_nothing_happens_to_a_market_maker_that_was_revoked(step: MakerStep) -> None:
    with pytest.raises(IllegalTransition, match=r"market maker MM1: no .* it is terminal"):
        MAKERS.after(MakerStatus.REVOKED, step, "MM1")


@pytest.mark.parametrize("step", list(KeyStep))
def test_a_revoked_key_never_comes_back(step: KeyStep) -> None:
    with pytest.raises(IllegalTransition, match="it is terminal"):
        KEYS.after(KeyStatus.REVOKED, step, "of MM1")


def test_everything_that_is_not_at_its_end_can_be_revoked() -> None:
    assert [status for status in MakerStatus if MakerStep.REVOKED in MAKERS.table[status]] == [
        "pending",
        "active",
        "suspended",
    ]
    assert [status for status in KeyStatus if KeyStep.REVOKED in KEYS.table[status]] == ["staged", "active"]


def test_only_who_was_suspended_is_resumed() -> None:
    assert [status for status in MakerStatus if MakerStep.RESUMED in MAKERS.table[status]] == ["suspended"]
