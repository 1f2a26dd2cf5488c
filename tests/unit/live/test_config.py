"""A market file is read whole, and refused with the place of what does not fit."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import InputError
from core.market.world import OrderWanted, PriceMoved
from core.units import MILLISECOND, SECOND
from live.config import Telling, load

DEMO = Path(__file__).parents[3] / "live" / "demo.toml"


def test_the_demo_is_a_venue_and_those_who_trade_there() -> None:
    market = load(DEMO)
    assert list(market.nodes()) == ["venue", "MM1", "MM2", "near", "eager"]
    price = PriceMoved("ETHUSDC", Decimal(2000))
    sell = OrderWanted("ETHUSDC", "sell", Decimal("0.5"), Decimal(1995))
    assert list(market.tellings())[:3] == [
        Telling("near", "solver", price, SECOND),
        Telling("eager", "solver", price, SECOND),
        Telling("MM1", "maker", sell, 10 * MILLISECOND),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed = 1", "seed = ", "invalid"),
        ("seed = 1", "sead = 1", r"unknown field `sead`"),
        ('"100ms"', '"100"', r"expected a duration .* at `\$\.venue\.sequencer\.batch_window`"),
        ('bond = "10000"', 'bond = "much"', r"at `\$\.venue\.solvers\[0\]\.bond`"),
        ('id = "MM2"', 'id = "MM1"', 'two nodes are called "MM1"'),
        ('"venue/fix"', '"venue/fox"', r"MM1: address .* is neither venue/fix nor venue/solvers nor host:port"),
        ('market_maker = "MM2"', 'market_maker = "MM3"', 'there is no market maker "MM3"'),
        ('every = "10ms"', 'every = "0s"', "`every` must be above zero"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "market.toml"
    path.write_text(DEMO.read_text().replace(old, new))
    with pytest.raises(InputError, match=f"(?i)market.toml: .*{said}"):
        load(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*market\.toml: No such file"):
        load(tmp_path / "market.toml")
