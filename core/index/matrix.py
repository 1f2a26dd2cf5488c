"""MatrixSolver: the quantities of a batch as a linear program, instead of by progressive filling.

For each order k a share s_k of what it wishes (value V_k at limits); for each level l of each book the money y_il spent
there, at the limit; for each asset the money z_i of held lots that are used, and u_i that is bought on top:

    maximise    sum V_k s_k + fairness * sum V_k * t - sum slippage_il y_il - surplus_cost * sum u_i
    subject to  sum over k of need_ki s_k + u_i = sum over l of y_il + z_i       each asset (u_i = 0 of sells)
                y_il <= depth of the level, z_i <= what is held                 books and stock
                s_k <= 1                                                        collateral and cap of the order
                sum V_k s_k <= cap,   sum y_il <= room                          caps
                t <= s_k                                                        the least served order
                sum over l of y_il >= smallest order, where i is bought at all   second pass

Whether an asset is bought at all is settled in a first pass without the last line. The program is solved in floating
point; shares are cut to whole multiples of `share_step`, and then go through the same progressive filling and the same
sizing in exact arithmetic as any others: a share that breaks a limit is brought down to it. So a plan of this solver
keeps every rule that a plan of the simple one does, and at worst is no better. If HiGHS finds nothing, the simple one's
quantities hold.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Final, NamedTuple

from core.index.fit_corrected import Supplies, claims, progressive
from core.index.fitting import plan_with
from core.index.planning import Levels, NoRoom, Plan, PlanLimits, PlanProblem
from core.index.program import Program, solve
from core.index.waterfill import water_fill
from core.index.wishes import Markets, Wish, both_markets
from core.market.orders import Side

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


def plan(problem: PlanProblem) -> Plan | NoRoom:
    """One batch of the problem's orders, with quantities by linear programming. Reference mode has no such thing."""
    return plan_with(problem, by_program)


def by_program(problem: PlanProblem, ready: tuple[Wish, ...], supplies: Supplies) -> dict[str, Decimal]:
    """How many index tokens of each order the program would engage, brought within every limit exactly."""
    found = both_markets(problem)
    shares = _shares(_Model(problem, ready, supplies, found, frozenset()))
    if shares is not None and (small := shares.too_small):
        shares = _shares(_Model(problem, ready, supplies, found, small)) or shares
    if shares is None:
        return progressive(problem, ready, supplies)
    wanted = {
        wish.order_id: {at: used * shares.by_order[wish.order_id] for at, used in claims(wish).items()}
        for wish in ready
    }
    kept = water_fill(wanted, supplies.all())
    return {wish.order_id: wish.quantity * shares.by_order[wish.order_id] * kept[wish.order_id] for wish in ready}


class _Shares(NamedTuple):
    """A solution: shares by order, and the assets (`side:asset`) whose exchange orders are less than the smallest."""

    by_order: dict[str, Decimal]
    too_small: frozenset[str]


class _Model:
    """The program of one problem, and which of its columns mean what."""

    def __init__(
        self, problem: PlanProblem, ready: tuple[Wish, ...], supplies: Supplies, found: Markets, bought: frozenset[str]
    ) -> None:
        self.limits, self.supplies, self.found, self.bought = problem.limits, supplies, found, bought
        self.views = {view.asset: view for view in problem.views}
        self.program = Program()
        self.shares: dict[str, int] = {}
        self.books: dict[str, list[int]] = {}
        room = problem.limits.max_total_volley_size - problem.outstanding_volley
        self._orders(ready)
        for at, needs in _needs(ready).items():
            self._asset(at, needs)
        spent = {column: 1.0 for columns in self.books.values() for column in columns}
        self.program.row(spent, upper=float(room))

    def _orders(self, ready: tuple[Wish, ...]) -> None:
        values = {wish.order_id: float(wish.price * wish.quantity) for wish in ready}
        for order_id, worth in values.items():
            self.shares[order_id] = self.program.column(worth, 1.0)
        least = self.program.column(float(self.limits.fairness) * sum(values.values()), 1.0)
        for column in self.shares.values():
            self.program.row({column: 1.0, least: -1.0}, lower=0.0)
        capped = {self.shares[order_id]: worth for order_id, worth in values.items()}
        self.program.row(capped, upper=float(self.supplies.cap))

    def _asset(self, at: str, needs: dict[str, Decimal]) -> None:
        side: Side = "buy" if at.startswith("buy:") else "sell"
        asset = at.partition(":")[2]
        one = self.found[side][asset]
        balance = {self.shares[order_id]: -float(need * one.limit) for order_id, need in needs.items()}
        columns = self.books[at] = self._levels(at, side, asset, one.limit)
        balance |= dict.fromkeys(columns, 1.0)
        balance[self.program.column(0.0, float(self.supplies.stock.get(at, _ZERO) * one.limit))] = 1.0
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
    by_order = {order_id: _cut(values[column], step) for order_id, column in model.shares.items()}
    return _Shares(by_order, frozenset(at for at in small if at.startswith("buy:")))


def _needs(ready: tuple[Wish, ...]) -> dict[str, dict[str, Decimal]]:
    """By `side:asset`, what all of each order needs of it."""
    needs: dict[str, dict[str, Decimal]] = {}
    for wish in ready:
        for at, quantity in wish.uses.items():
            needs.setdefault(at, {})[wish.order_id] = quantity
    return needs


def _within(levels: Levels, side: Side, limit: Decimal, limits: PlanLimits) -> Levels:
    worst = limit + limits.quantity_tolerance if side == "buy" else limit - limits.quantity_tolerance
    return tuple(level for level in levels if (level[0] <= worst if side == "buy" else level[0] >= worst))


def _cut(share: float, step: Decimal) -> Decimal:
    """A share as an exact number. A little is added first: what is 1 but for floating point is 1."""
    cut = ((Decimal(repr(share)) + step / 10) / step).to_integral_value(ROUND_FLOOR) * step
    return min(max(cut, _ZERO), _ONE)
