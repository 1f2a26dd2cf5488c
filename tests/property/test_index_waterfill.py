"""Whatever is asked for and whatever there is: nothing is used beyond its supply, and nobody can have more but at the
cost of somebody who has no more than he."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.index.waterfill import water_fill

D = Decimal
RESOURCES = ["AX", "AZ", "AW", "cap"]
NEAR = D("1e-20")
AMOUNTS = st.decimals(min_value=0, max_value=10**6, allow_nan=False, places=6)
CLAIMS = st.dictionaries(
    st.sampled_from([f"I-{n}" for n in range(8)]), st.dictionaries(st.sampled_from(RESOURCES), AMOUNTS), max_size=8
)
SUPPLY = st.dictionaries(st.sampled_from(RESOURCES), AMOUNTS)


def used(claims: dict[str, dict[str, Decimal]], shares: dict[str, Decimal], name: str) -> Decimal:
    """How much of a resource is used."""
    return sum((uses.get(name, D(0)) * shares[claim] for claim, uses in claims.items()), D(0))


@given(CLAIMS, SUPPLY)
def test_supplies_are_kept(claims: dict[str, dict[str, Decimal]], supply: dict[str, Decimal]) -> None:
    shares = water_fill(claims, supply)
    assert list(shares) == list(claims)
    assert all(0 <= share <= 1 for share in shares.values())
    for name, amount in supply.items():
        assert used(claims, shares, name) <= amount * (1 + NEAR) + NEAR


@given(CLAIMS, SUPPLY)
def test_shares_are_max_min_fair(claims: dict[str, dict[str, Decimal]], supply: dict[str, Decimal]) -> None:
    """A share below 1 has a bottleneck: a resource that is used up, and of which nobody has a larger share."""
    shares = water_fill(claims, supply)
    for claim, share in shares.items():
        if share == 1:
            continue
        needed = [name for name, amount in claims[claim].items() if amount > 0 and name in supply]
        assert any(
            used(claims, shares, name) >= supply[name] * (1 - NEAR) - NEAR
            and all(shares[other] <= share * (1 + NEAR) for other, uses in claims.items() if uses.get(name, D(0)) > 0)
            for name in needed
        ), claim


@given(CLAIMS, SUPPLY)
def test_nobody_has_less_than_by_proportional_sharing(
    claims: dict[str, dict[str, Decimal]], supply: dict[str, Decimal]
) -> None:
    shares = water_fill(claims, supply)
    for claim, uses in claims.items():
        proportional = D(1)
        for name, amount in uses.items():
            if amount > 0 and name in supply:
                asked = sum((other.get(name, D(0)) for other in claims.values()), D(0))
                proportional = min(proportional, supply[name] / asked)
        assert shares[claim] >= proportional * (1 - NEAR)
