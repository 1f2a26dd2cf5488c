"""Amounts no finer than tokens, however large."""

from __future__ import annotations

from decimal import Decimal

from core.index.rounding import ROUNDING, cut, raised, rounded, whole
from core.units import MONEY

D = Decimal


def test_what_is_finer_than_a_token_is_cut_off_or_rounded() -> None:
    assert cut(D("1.0000000000000000019")) == D("1.000000000000000001")
    assert rounded(D("1.0000000000000000019")) == D("1.000000000000000002")
    assert raised(D("1.0000000000000000011")) == D("1.000000000000000002")
    assert raised(D("1.25"), 6) == D("1.25")
    assert cut(D("-1.29"), 1) == D("-1.2")
    assert rounded(D("0.25"), 1) == D("0.2")


def test_what_is_short_of_a_whole_unit_by_rounding_alone_is_that_unit() -> None:
    assert whole(MONEY.multiply(MONEY.divide(D(1), D(3)), D(3)), 0) == 1
    assert whole(D("2.99999999999999999"), 0) == 2
    assert whole(D("2.5"), 0) == 2
    assert whole(D("2.567"), 2) == D("2.56")
    assert whole(D(0), 18) == 0


def test_large_amounts_keep_all_their_digits() -> None:
    large = D("123456789012345678901234567890.123456789")
    assert cut(large) == rounded(large) == raised(large) == large


def test_what_rounding_may_cost_follows_from_the_digits_of_money() -> None:
    worst = D(10) ** (1 - MONEY.prec) / 2
    assert 16 * 81 * worst < ROUNDING <= 2000 * worst
