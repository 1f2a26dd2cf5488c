"""MatrixSolver: the quantities of a batch as a linear program, instead of by progressive filling.

For each order k a share s_k of what it wishes (value V_k at limits), of which f_k is up to the fair share w_k that
progressive filling gives it; t is the part of his fair share that the least served gets. For each level l of each book
the money y_il spent there, at the limit; for each asset the money z_i of held lots that are used, c_i that passes from
sells to buys, and u_i that is bought on top:

    maximise    sum V_k s_k + fairness * sum V_k (f_k + w_k t) - sum slippage_il y_il - surplus_cost * sum u_i
    subject to  sum over k of need_ki s_k + u_i = sum over l of y_il + z_i + c_i   each asset and side (buys: u_i)
                y_il <= depth of the level, z_i <= what is held                    books and stock
                c_i <= sum over buys of need_ki s_k                                nothing passes that nobody wants
                s_k <= 1                                                           collateral and cap of the order
                sum V_k s_k <= cap,   sum y_il <= room                             caps
                f_k <= s_k,   f_k <= w_k,   w_k t <= f_k,   t <= 1                 each order, and the least served
                sum over l of y_il >= smallest order, where i is bought at all     second pass

An order that can get next to nothing has a fair share of next to nothing, and so does not free the others from theirs.
Whether an asset is bought at all is settled in a first pass without the last line. The program is solved in floating
point. Shares are cut to whole multiples of `share_step`, but to the fair share where they are as near to that, and then
go through the same progressive filling and the same sizing in exact arithmetic as any others: a share that breaks a
limit is brought down to it. So a plan of this solver keeps every rule that a plan of the simple one does, and at worst
is no better. If HiGHS finds nothing, the simple one's quantities hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from functools import partial
from typing import Final, NamedTuple

from core.index.crossing import Supplies, opposite
from core.index.fit_corrected import Sharing, fit, progressive, water_filled
from core.index.fitting import plan_with
from core.index.planning import Levels, NoRoom, Plan, PlanLimits, PlanProblem
from core.index.program import INFINITE, Program, solve
from core.index.wishes import Markets, Wish, both_markets
from core.market.orders import Side

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


def plan(problem: PlanProblem) -> Plan | NoRoom:
    """One batch of the problem's orders, with quantities by linear programming. Reference mode has no such thing."""
    return plan_with(problem, by_program)


def by_program(problem: PlanProblem, ready: tuple[Wish, ...], supplies: Supplies) -> Sharing:
    """How many index tokens of each order the program would engage, brought within every limit exactly."""
    model = partial(
        _Model, problem, ready, supplies, found=both_markets(problem), fair=_fair_shares(problem, ready, supplies)
    )
    shares = _shares(model())
    if shares is not None and (small := shares.too_small):
        shares = _shares(model(bought=small)) or shares
    if shares is None:
        return progressive(problem, ready, supplies)
    return partial(water_filled, ready, shares.by_order)


def _fair_shares(problem: PlanProblem, ready: tuple[Wish, ...], supplies: Supplies) -> dict[str, Decimal]:
    """What progressive filling gives each order, as a share of its wish."""
    fitted, _ = fit(problem, ready, supplies, progressive)
    nothing = dict.fromkeys((wish.order_id for wish in ready), _ZERO)
    return nothing | {one.wish.order_id: min(one.quantity / one.wish.quantity, _ONE) for one in fitted}


class _Shares(NamedTuple):
    """A solution: shares by order, and the assets (`side:asset`) whose exchange orders are less than the smallest."""

    by_order: dict[str, Decimal]
    too_small: frozenset[str]


class _Model:
    """The program of one problem, and which of its columns mean what."""

    def __init__(
        self,
        problem: PlanProblem,
        ready: tuple[Wish, ...],
        supplies: Supplies,
        *,
        found: Markets,
        fair: Mapping[str, Decimal],
        bought: frozenset[str] = frozenset(),
    ) -> None:
        self.limits, self.supplies, self.fair, self.bought = problem.limits, supplies, fair, bought
        self.found = found
        self.views = {view.asset: view for view in problem.views}
        self.program = Program()
        self.shares: dict[str, int] = {}
        self.books: dict[str, list[int]] = {}
        room = problem.limits.max_total_volley_size - problem.outstanding_volley
        self._orders(ready)
        needs = _needs(ready)
        crossed = {asset: self._crossed(asset, needs) for asset in _on_both_sides(needs)}
        for at in needs:
            self._asset(at, needs[at], crossed.get(_asset_of(at)))
        spent = {column: 1.0 for columns in self.books.values() for column in columns}
        self.program.row(spent, upper=float(room))

    def _orders(self, ready: tuple[Wish, ...]) -> None:
        values = {wish.order_id: float(wish.price * wish.quantity) for wish in ready}
        fair = {order_id: float(self.fair[order_id]) for order_id in values}
        for order_id, worth in values.items():
            self.shares[order_id] = self.program.column(worth, 1.0)
        fairness = float(self.limits.fairness)
        least = self.program.column(fairness * sum(worth * fair[each] for each, worth in values.items()), 1.0)
        for order_id, column in self.shares.items():
            served = self.program.column(fairness * values[order_id], fair[order_id])
            self.program.row({column: 1.0, served: -1.0}, lower=0.0)
            self.program.row({served: 1.0, least: -fair[order_id]}, lower=0.0)
        capped = {self.shares[order_id]: worth for order_id, worth in values.items()}
        self.program.row(capped, upper=float(self.supplies.cap))

    def _crossed(self, asset: str, needs: Mapping[str, Mapping[str, Decimal]]) -> int:
        """A column for what passes from sells to buys, at the limit of buys."""
        limit = self.found["buy"][asset].limit
        column = self.program.column(0.0, INFINITE)
        wanted = {self.shares[order_id]: float(need * limit) for order_id, need in needs[f"buy:{asset}"].items()}
        self.program.row({**wanted, column: -1.0}, lower=0.0)
        return column

    def _asset(self, at: str, needs: Mapping[str, Decimal], crossed: int | None) -> None:
        side: Side = "buy" if at.startswith("buy:") else "sell"
        asset = _asset_of(at)
        one = self.found[side][asset]
        balance = {self.shares[order_id]: -float(need * one.limit) for order_id, need in needs.items()}
        columns = self.books[at] = self._levels(at, side, asset, one.limit)
        balance |= dict.fromkeys(columns, 1.0)
        balance[self.program.column(0.0, float(self.supplies.stock.get(at, _ZERO) * one.limit))] = 1.0
        if crossed is not None:
            balance[crossed] = float(one.limit / self.found["buy"][asset].limit)
        if side == "buy":
            balance[self.program.column(-float(self.limits.surplus_cost), float(self.limits.house_exposure_max))] = -1.0
        self.program.row(balance, lower=0.0, upper=0.0)
        if at in self.bought and side == "buy":
            self.program.row(dict.fromkeys(columns, 1.0), lower=float(self.limits.min_asset_volley_size))

    def _levels(self, at: str, side: Side, asset: str, limit: Decimal) -> list[int]:
        """A column for each level up to the limit; what running batches mean to take is off the best ones."""
        view = self.views[asset]
        levels = view.asks if side == "buy" else view.bids
        columns, left = [], self.supplies.market[at]
        for price, quantity in reversed(_within(levels, side, limit, self.limits)):
            offered = min(quantity, left)
            left -= offered
            slippage = abs(price - levels[0][0]) / limit
            columns.append(self.program.column(-float(slippage), float(offered * limit)))
        return columns


def _shares(model: _Model) -> _Shares | None:
    values = solve(model.program)
    if values is None:
        return None
    smallest = float(model.limits.min_asset_volley_size)
    spent = {at: sum(values[column] for column in columns) for at, columns in model.books.items()}
    small = frozenset(at for at, money in spent.items() if float(model.limits.collateral_tolerance) < money < smallest)
    step = model.limits.share_step
    by_order = {each: _exact(values[column], model.fair[each], step) for each, column in model.shares.items()}
    return _Shares(by_order, frozenset(at for at in small if at.startswith("buy:")))


def _needs(ready: tuple[Wish, ...]) -> dict[str, dict[str, Decimal]]:
    """By `side:asset`, what all of each order needs of it."""
    needs: dict[str, dict[str, Decimal]] = {}
    for wish in ready:
        for at, quantity in wish.uses.items():
            needs.setdefault(at, {})[wish.order_id] = quantity
    return needs


def _on_both_sides(needs: Mapping[str, Mapping[str, Decimal]]) -> list[str]:
    return [_asset_of(at) for at in needs if at.startswith("buy:") and opposite(at) in needs]


def _asset_of(at: str) -> str:
    return at.partition(":")[2]


def _within(levels: Levels, side: Side, limit: Decimal, limits: PlanLimits) -> Levels:
    worst = limit + limits.quantity_tolerance if side == "buy" else limit - limits.quantity_tolerance
    return tuple(level for level in levels if (level[0] <= worst if side == "buy" else level[0] >= worst))


def _exact(share: float, fair: Decimal, step: Decimal) -> Decimal:
    """A share as an exact number. A little is added first: what is 1 but for floating point is 1."""
    cut = ((Decimal(repr(share)) + step / 10) / step).to_integral_value(ROUND_FLOOR) * step
    return fair if abs(cut - fair) <= step else min(max(cut, _ZERO), _ONE)
