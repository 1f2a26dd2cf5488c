"""The linear program: never worse than progressive filling in value, and valid by the same rules."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from msgspec import structs

from core.index import fitting, matrix
from core.index.compare import PLANNERS, compare
from core.index.planning import Mode, NoRoom, Plan, PlanProblem, PlanReason
from core.index.program import Program, solve
from core.index.validate import violations
from tests.unit.index.scripted import levels, view
from tests.unit.index.test_fitting import LIMITS, VIEWS, buy, engaged, held, problem, sell

D = Decimal


def planned(of: PlanProblem) -> Plan:
    """The program's plan, which is valid."""
    made = matrix.plan(of)
    assert isinstance(made, Plan)
    assert violations(of, made) == []
    return made


def worth(made: Plan | NoRoom) -> Decimal:
    """What is engaged, at limits."""
    assert isinstance(made, Plan)
    return sum((one.price * one.quantity for one in made.engagements), D(0))


def test_a_program_is_solved() -> None:
    program = Program()
    x, y = program.column(3.0, 10.0), program.column(2.0, 10.0)
    program.row({x: 1.0, y: 1.0}, upper=12.0)
    program.row({x: 1.0, y: -1.0}, upper=4.0)
    assert solve(program) == pytest.approx([8.0, 4.0])


def test_a_program_without_a_solution_has_none() -> None:
    program = Program()
    program.row({program.column(1.0, 1.0): 1.0}, lower=2.0)
    assert solve(program) is None


def test_orders_that_need_less_of_what_is_scarce_go_first() -> None:
    # A unit of either is worth 1000; IX takes 8 of the 100 AX, IZ only 5
    orders = (buy(1, "IX", 20_000), buy(2, "IZ", 10_000))
    of = problem(*orders, limits=structs.replace(LIMITS, fairness=D(0)))
    assert engaged(planned(of)) == {"I-1": D("6.25"), "I-2": D(10)}
    assert worth(planned(of)) > worth(fitting.plan(of))


def test_shares_are_whole_multiples_of_the_step_that_is_set() -> None:
    # All of IZ's wish and 50 of the 100 AX left for IX, which wishes 160 of them: a share of 0.3125
    orders = (buy(1, "IX", 20_000), buy(2, "IZ", 10_000))
    coarse = problem(*orders, limits=structs.replace(LIMITS, fairness=D(0), share_step=D("0.01")))
    assert engaged(planned(coarse)) == {"I-1": D("6.2"), "I-2": D(10)}


def test_fairness_raises_the_least_served() -> None:
    of = problem(buy(1, "IX", 20_000), buy(2, "IZ", 10_000), limits=structs.replace(LIMITS, fairness=D(10)))
    shares = engaged(planned(of))
    assert shares["I-1"] / 20 == pytest.approx(shares["I-2"] / 10)
    assert engaged(planned(of)) == pytest.approx(engaged_simply(of))


@pytest.mark.parametrize("fairness", ["0.1", "0.5", "10"])
def test_an_order_that_can_get_next_to_nothing_does_not_free_the_others_from_being_fair(fairness: str) -> None:
    views = (view("AX", (), levels((100, 10))), VIEWS[1], view("AW", (), levels((10, "0.6"))))
    stuck = buy(4, "IZ", 1000)
    of = problem(
        *(buy(number, "IX", 1000) for number in (1, 2, 3)),
        stuck,
        views=views,
        limits=structs.replace(LIMITS, fairness=D(fairness)),
    )
    made = engaged(planned(of))
    assert made == pytest.approx(engaged_simply(of), rel=D("1e-8"))
    assert made["I-1"] == made["I-2"] == made["I-3"]
    assert 0 < made["I-4"] < D("0.02")


def engaged_simply(of: PlanProblem) -> dict[str, Decimal]:
    """By progressive filling."""
    made = fitting.plan(of)
    assert isinstance(made, Plan)
    return engaged(made)


def test_the_cap_the_stock_and_what_runs_are_kept() -> None:
    limits = structs.replace(LIMITS, max_volley_size=D(1500), max_total_volley_size=D(3000))
    of = problem(
        buy(1, "IX", 1000, 500),
        buy(2, "IZ", 5000),
        sell(3, "IZ", 1),
        limits=limits,
        outstanding=D(1400),
        reserved=(("AX", D(20)),),
        held=(held("AW", 30, 10), held("AW", 30, 11)),
    )
    assert D(1499) < worth(planned(of)) <= 1500


def test_what_is_bought_at_all_is_at_least_the_smallest_order() -> None:
    made = planned(problem(buy(1, "IX", 1000), buy(2, "IZ", "1.1")))
    assert all(row.limit * row.quantity >= 5 for row in made.assets)


def test_one_asset_stops_nobody_else() -> None:
    views = (*VIEWS[:2], view("AW", (), levels((10, "0.1"))))
    made = planned(problem(buy(1, "IX", 1000), buy(2, "IZ", 1000), views=views))
    assert engaged(made) == {"I-1": D(1)}
    assert [one.reason for one in made.deferred] == [PlanReason.NO_LIQUIDITY]


def test_no_room_is_no_room() -> None:
    limits = structs.replace(LIMITS, max_total_volley_size=D(0))
    assert isinstance(matrix.plan(problem(buy(1, "IX", 1000), limits=limits)), NoRoom)


def test_the_same_problem_has_the_same_plan() -> None:
    of = problem(*(buy(number, "IX" if number % 2 else "IZ", 700 + number) for number in range(16)))
    assert matrix.plan(of) == matrix.plan(of)


def test_reference_mode_knows_no_program() -> None:
    of = problem(buy(1, "IX", 20_000), buy(2, "IZ", 10_000), limits=structs.replace(LIMITS, mode=Mode.REFERENCE))
    assert matrix.plan(of) == fitting.plan(of)


def test_planners_are_compared_in_a_table() -> None:
    thin = problem(buy(1, "IX", 20_000), buy(2, "IZ", 10_000), held=(held("AZ", 1, 200, house=True),))
    simple, program = compare(thin)
    assert [simple.planner, program.planner] == list(PLANNERS)
    assert program.engaged == pytest.approx(simple.engaged)
    assert simple.least_share >= program.least_share
    assert simple.wished == program.wished == 30_000
    assert all(row.violations == 0 and row.from_stock == 200 for row in (simple, program))
    tiny, _ = compare(problem(buy(1, "IX", "10.1")))
    assert (tiny.violations, tiny.from_stock, tiny.surplus, tiny.left_over) == (0, D(0), D("3.1"), D("3.1"))
    nothing = compare(structs.replace(thin, outstanding_volley=D(10**7)))
    assert [(row.fill_rate, row.least_share, row.orders) for row in nothing] == [(D(0), D(0), 0)] * 2


def test_problems_and_plans_cross_the_wire() -> None:
    of = problem(buy(1, "IX", 1000, 5), sell(2, "IZ", 1), held=(held("AW", 30, 10),), reserved=(("AX", D(1)),))
    made = planned(of)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(of), type=PlanProblem) == of
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=Plan) == made
    assert made.crossings
