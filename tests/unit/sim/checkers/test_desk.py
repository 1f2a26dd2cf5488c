"""What an index desk states is held to what can be: trades that it can account for, and one last word on each order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.collateral.settings import CollateralSettings
from core.config import DeskConfig
from core.errors import FactViolated
from core.execution.facts import ExecutionUnexpected
from core.execution.settings import ExecutionSettings
from core.index.chain import MintIndex
from core.index.chain_log import ChainLog
from core.index.records import IndexOrderAccepted, IndexOrderEnded, Outcome
from core.index.settings import DeskSettings, IndexSettings
from core.kernel.kernel import Kernel
from core.kernel.record import Note
from core.wiring import components
from sim.checkers.desk import DeskChecker

ACCEPTED = IndexOrderAccepted("I-1", "1:0xa", "C-1", "IX", "buy", Decimal(5))
ENDED = IndexOrderEnded("I-1", "1:0xa", "C-1", "IX", "buy", Outcome.CANCELLED, "cancelled", Decimal(0), Decimal(5))
STRANGE = ExecutionUnexpected("A-9", "AX", "buy", "T-1", Decimal(100), Decimal(2), "no such order")


def checker() -> DeskChecker:
    """Of a desk to which nothing has happened."""
    index = IndexSettings(symbol="IX", weights=(("AX", Decimal(1)),))
    desk = DeskSettings(indexes=(index,), assets=("AX",))
    collateral = CollateralSettings(token="USDC", chains={}, destinations={}, hops=())
    config = DeskConfig(desk=desk, execution=ExecutionSettings(), collateral=collateral)
    return DeskChecker(Kernel("desk", components(config, 1)), desk)


def test_an_order_that_was_accepted_and_has_ended_is_as_it_should_be() -> None:
    watch = checker()
    watch.look("desk", [Note(ACCEPTED), Note(ENDED)])
    watch.finish(ChainLog())


def test_an_order_of_which_nobody_heard_the_end_is_caught() -> None:
    watch = checker()
    watch.look("desk", [Note(ACCEPTED)])
    with pytest.raises(FactViolated, match="I10 I-1: never ended"):
        watch.finish(ChainLog())


def test_a_chain_with_tokens_that_the_desk_has_not_counted_is_caught_at_the_end() -> None:
    log = ChainLog()
    log.submit(1, MintIndex("mint:I-1", "IX", "1:0xa1", Decimal(3), 0, "P-1", Decimal(3), Decimal(1)))
    log.seal(1)
    with pytest.raises(FactViolated, match="I14 IX: the desk counts 0, the chain has confirmed 3"):
        checker().finish(log)


def test_a_second_last_word_is_caught_when_it_is_said() -> None:
    watch = checker()
    watch.look("desk", [Note(ACCEPTED), Note(ENDED)])
    with pytest.raises(FactViolated, match="I10 I-1: ended 2 times"):
        watch.look("desk", [Note(ENDED)])


def test_the_end_of_an_order_that_nobody_made_is_caught_when_it_is_said() -> None:
    with pytest.raises(FactViolated, match="I10 I-1: ended, and was never accepted"):
        checker().look("desk", [Note(ENDED)])


def test_a_trade_that_no_order_can_account_for_ends_the_run_at_once() -> None:
    watch = checker()
    with pytest.raises(FactViolated, match="A-9: trade T-1 of 2 AX was not accounted for: no such order"):
        watch.look("execution", [Note(STRANGE)])
