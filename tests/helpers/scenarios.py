"""The smallest scenario that can run, as text for tests to change."""

from __future__ import annotations

MINIMAL = """\
[run]
duration = "1s"

[[token]]
id = "ETH"
decimals = 8

[[token]]
id = "USDC"
decimals = 6

[[pair]]
symbol = "ETHUSDC"
base = "ETH"
quote = "USDC"
tick = "0.01"
lot = "0.001"
quantity_max = "100"
price = { constant = "2000" }

[auction]
bond_token = "USDC"
default_penalty = "100"

[[market_maker]]
id = "MM1"
balance = { ETH = "100", USDC = "100000" }
arrivals = { poisson = "20ms" }

[[solver]]
id = "s1"
capital = { ETH = "100", USDC = "100000" }
bond = "1000"
params = { margin_bps = 3 }
"""


def changed(*edits: tuple[str, str]) -> str:
    """`MINIMAL` with parts of it replaced; each part must be there."""
    text = MINIMAL
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text
