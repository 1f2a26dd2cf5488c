"""The ledger moves what is there, and nothing else."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DefectError
from core.market.ledger import WORLD, Ledger, Transferred

amounts = st.decimals(0, 1000, places=6)


def test_a_transfer_moves_the_amount_and_returns_the_fact() -> None:
    ledger = Ledger()
    ledger.transfer("ETH", Decimal(5), WORLD, "user:A", "deposit")
    fact = ledger.transfer("ETH", Decimal(2), "user:A", "order:O-1", "reserve")
    assert fact == Transferred("ETH", Decimal(2), "user:A", "order:O-1", "reserve")
    assert [ledger.balance(a, "ETH") for a in ("user:A", "order:O-1", "nobody")] == [Decimal(3), Decimal(2), Decimal(0)]


@pytest.mark.parametrize(("amount", "src"), [("6", "user:A"), ("-1", "user:A"), ("1", "user:B")])
def test_an_overdraft_or_negative_amount_is_our_bug_and_moves_nothing(amount: str, src: str) -> None:
    ledger = Ledger()
    ledger.transfer("ETH", Decimal(5), WORLD, "user:A", "deposit")
    with pytest.raises(DefectError, match=rf"transfer of {amount} ETH from {src}"):
        ledger.transfer("ETH", Decimal(amount), src, "user:C", "theft")
    assert ledger.balance("user:A", "ETH") == 5


def test_an_emptied_account_leaves_no_trace() -> None:
    ledger = Ledger()
    ledger.transfer("ETH", Decimal(5), WORLD, "order:O-1", "reserve")
    ledger.transfer("ETH", Decimal(5), "order:O-1", WORLD, "release")
    assert ledger.balances == {}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), amounts), max_size=40))
def test_every_token_adds_up_to_zero_whatever_moves(moves: list[tuple[str, str, Decimal]]) -> None:
    ledger = Ledger()
    for account in "abc":
        ledger.transfer("T", Decimal(1000), WORLD, account, "deposit")
    for src, dst, amount in moves:
        if ledger.balance(src, "T") >= amount:
            ledger.transfer("T", amount, src, dst, "move")
    assert sum(tokens["T"] for tokens in ledger.balances.values()) == 0
    assert all(tokens["T"] > 0 for account, tokens in ledger.balances.items() if account != WORLD)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(ledger), type=Ledger) == ledger


def test_sums_of_more_digits_than_money_has_are_exact() -> None:
    ledger = Ledger()
    large, small = Decimal("99999999999.000000000000000000"), Decimal("0.000000000000000001")
    ledger.transfer("T", large, WORLD, "user:A", "deposit")
    ledger.transfer("T", small, WORLD, "user:A", "deposit")
    assert str(ledger.balance("user:A", "T")) == "99999999999.000000000000000001"
    ledger.transfer("T", large, "user:A", WORLD, "release")
    assert ledger.balance("user:A", "T") == small
    assert ledger.balance(WORLD, "T") == -small
