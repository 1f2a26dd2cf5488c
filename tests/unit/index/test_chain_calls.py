"""Calls on the chain are made until one of them is answered, less and less often."""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from core.index.chain import ReturnIndex
from core.index.chain_calls import ChainCalls
from core.index.settings import DeskSettings
from core.kernel.record import Call, SetTimer
from core.units import SECOND

REQUEST = ReturnIndex("return:O-1", "IX", "1:0xa11ce", Decimal(1))
SETTINGS = structs.replace(DeskSettings(), chain_timeout_ns=3 * SECOND)


def test_a_chain_that_is_slower_than_it_is_waited_for_is_asked_less_and_less_often_and_any_answer_counts() -> None:
    calls, now, made, waits = ChainCalls(), 0, list[str](), list[int]()
    effects = calls.ask(now, REQUEST, SETTINGS)
    for _ in range(6):
        made += [effect.call_id for effect in effects if isinstance(effect, Call)]
        (timer,) = (effect for effect in effects if isinstance(effect, SetTimer))
        waits.append((timer.at - now) // SECOND)
        now = timer.at
        effects = calls.fall_due(now, REQUEST.key, SETTINGS)
    assert waits == [3, 4, 8, 16, 30, 30]
    assert calls.refused(now, made[0], "busy", SETTINGS) == [], "the newest may still be confirmed"
    request, _ = calls.confirmed(made[1])
    assert (request, calls.calls) == (REQUEST, {})
