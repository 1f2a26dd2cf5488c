"""From ready orders to batches: who is planned when, by whom, and what becomes of those who are not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index import matrix
from core.index.facts import IndexBatchOpened, IndexOrderDeferred, IndexPlanPutOff, OrderEngaged
from core.index.planning import NoRoom, PlanProblem
from core.index.ready import of_asset, of_index
from core.index.records import IndexOrderEnded, Outcome
from core.index.settings import PlannerName
from core.kernel.record import Computed
from core.units import MILLISECOND
from tests.helpers.index_desk import BOB, DeskRig, golden_settings, levels, ready_rig

D = Decimal


@pytest.fixture
def rig() -> DeskRig:
    return ready_rig()


@pytest.fixture
def late() -> DeskRig:
    """A desk whose matrix planner does not answer by itself."""
    one = ready_rig(structs.replace(golden_settings(), planner=PlannerName.MATRIX))
    one.solve = False
    return one


def answer(rig: DeskRig) -> None:
    """Let the matrix planner say what it makes of what it was asked last."""
    job = rig.jobs[-1]
    rig.deliver(Computed(job.job_id, matrix.plan(job.problem)))


def limits_sent(rig: DeskRig) -> dict[str, Decimal]:
    """By asset, the limit of its exchange order."""
    return {order.symbol: order.price for order in rig.exchange.orders}


def planners(rig: DeskRig) -> list[str]:
    """Who planned each batch."""
    return [fact.planner for fact in rig.facts(IndexBatchOpened)]


def test_the_matrix_planner_is_asked_and_obeyed() -> None:
    rig = ready_rig(structs.replace(golden_settings(), planner=PlannerName.MATRIX))
    rig.order("C-1", "1000")
    rig.run(60)
    assert set(planners(rig)) == {PlannerName.MATRIX}
    assert rig.facts(IndexOrderEnded)[0].outcome is Outcome.MINTED


def test_a_planner_that_is_late_is_replaced_and_its_answer_ignored(late: DeskRig) -> None:
    late.order("C-1", "1000")
    late.run(10.5)
    assert planners(late) == []
    late.run(1)
    assert planners(late) == [PlannerName.SIMPLE]
    job = late.jobs[0]
    late.deliver(Computed(job.job_id, matrix.plan(job.problem)))
    assert planners(late) == [PlannerName.SIMPLE]


def test_a_plan_for_an_order_that_has_gone_meanwhile_is_made_anew_without_it(late: DeskRig) -> None:
    late.order("C-1", "1000")
    late.order("C-2", "1000")
    late.run(10.5)
    late.cancel("C-1")
    answer(late)
    assert planners(late) == []
    answer(late)
    assert planners(late) == [PlannerName.MATRIX]
    assert [fact.order_id for fact in late.facts(OrderEngaged)] == ["I-2"]


def test_plans_that_break_the_rules_are_not_used_and_not_asked_for_for_ever(late: DeskRig) -> None:
    late.order("C-1", "1000")
    late.run(10.5)
    for attempt in range(1, late.settings.compute_attempts_max + 1):
        assert (len(late.jobs), planners(late)) == (attempt, [])
        job = late.jobs[-1]
        late.deliver(Computed(job.job_id, structs.replace(matrix.plan(job.problem), volley=D(1))))
    assert planners(late) == [PlannerName.SIMPLE]


def test_plans_that_are_asked_for_anew_have_no_more_time_than_one(late: DeskRig) -> None:
    late.order("C-1", "1000")
    late.run(10.6)
    late.set_book("AZ", (), ())
    answer(late)
    late.set_book("AZ", levels((295, 80)), levels((300, 50)))
    late.run(0.5)
    assert (len(late.jobs), planners(late)) == (2, [PlannerName.SIMPLE])


def test_a_plan_is_held_to_the_books_as_they_are_when_it_comes(late: DeskRig) -> None:
    late.order("C-1", "1000")
    late.run(10.5)
    late.set_book("AX", levels((45, 10)), levels((50, 20)))
    answer(late)
    assert limits_sent(late) == {}
    answer(late)
    assert limits_sent(late) == {"AX": D("50.5"), "AZ": D(303)}
    assert planners(late) == [PlannerName.MATRIX]


def test_a_plan_that_books_would_bear_at_its_own_limits_is_used_though_they_have_moved(late: DeskRig) -> None:
    late.order("C-1", "1000")
    late.run(10.5)
    late.set_book("AX", levels((90, 10)), levels((101, 20), (110, 30)))
    answer(late)
    assert (limits_sent(late)["AX"], planners(late)) == (D(101), [PlannerName.MATRIX])


def test_no_batch_is_sent_for_an_asset_that_has_lost_its_price_meanwhile(late: DeskRig) -> None:
    late.order("C-1", "1000")
    late.run(10.5)
    late.set_book("AZ", (), ())
    answer(late)
    answer(late)
    assert planners(late) == []
    assert [(fact.reason, fact.asset) for fact in late.facts(IndexOrderDeferred)] == [("no_price", "AZ")]


def test_what_another_batch_takes_while_a_plan_is_made_is_not_taken_twice() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, max_volley_size=D(3000), max_order_volley_size=D(3000))
    rig = ready_rig(structs.replace(settings, limits=limits, planner=PlannerName.MATRIX, rebalance_interval_ns=1))
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.weigh("IW", (("AW", D(1)),))
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.order("W-1", "1900", symbol="IW", user=BOB)
    rig.run(20)
    rig.exchange.paused, rig.solve = True, False
    rig.order("C-1", "3500")
    rig.run(10.5)
    rig.weigh("IW", (("AX", D(1)),))
    rig.run(0.3)
    for _ in range(rig.settings.compute_attempts_max):
        answer(rig)
    asked = [order for batch in rig.exchange.waiting for order in batch.orders if order.symbol == "AX"]
    assert len(asked) == 2
    assert sum(order.quantity for order in asked) <= 20


def test_that_there_was_no_room_when_a_plan_was_asked_for_says_nothing_of_now(late: DeskRig) -> None:
    late.order("C-1", "1000")
    late.run(10.5)
    late.deliver(Computed(late.jobs[0].job_id, NoRoom(D(0), D(1))))
    assert late.facts(IndexPlanPutOff) == []
    answer(late)
    assert planners(late) == [PlannerName.MATRIX]


def test_no_more_orders_are_in_a_batch_than_may_be(rig: DeskRig) -> None:
    rig.exchange.paused = True
    for number in range(6):
        rig.order(f"C-{number}", "100", user=f"1:0x{number}")
    rig.run(11)
    assert [len(fact.order_ids) for fact in rig.facts(IndexBatchOpened)] == [4, 2]


def test_a_users_older_order_is_engaged_first(rig: DeskRig) -> None:
    rig.exchange.script = lambda nth, order: [(order.quantity / 2, order.price)]
    rig.order("C-1", "900")
    rig.run(2)
    rig.order("C-2", "900")
    rig.run(20)
    engaged = [fact.order_id for fact in rig.facts(OrderEngaged)]
    assert engaged.index("I-1") < engaged.index("I-2")


def test_an_order_does_not_wait_for_an_older_one_whose_collateral_is_still_on_its_way(rig: DeskRig) -> None:
    rig.collateral.paused = True
    rig.order("C-1", "900")
    rig.run(11)
    rig.collateral.paused = False
    rig.order("C-2", "900")
    rig.run(30)
    assert [fact.client_order_id for fact in rig.facts(IndexOrderEnded)] == ["C-2"]


def test_batches_run_side_by_side_within_the_total_volley() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, max_total_volley_size=D(1500), min_total_volley_available=D(400))
    rig = ready_rig(structs.replace(settings, limits=limits))
    rig.exchange.paused = True
    rig.order("C-1", "700")
    rig.run(1)
    rig.order("C-1", "600", user=BOB)
    rig.run(1)
    rig.order("C-2", "600")
    rig.run(12)
    assert [fact.order_ids for fact in rig.facts(IndexBatchOpened)] == [("I-1",), ("I-2",)]
    assert [fact.orders for fact in rig.facts(IndexPlanPutOff)] == [("I-3",)]
    rig.resume_exchange()
    rig.run(60)
    assert {fact.order_id for fact in rig.facts(IndexOrderEnded)} == {"I-1", "I-2", "I-3"}
    assert {fact.outcome for fact in rig.facts(IndexOrderEnded)} == {Outcome.MINTED}


def test_what_running_batches_mean_to_take_is_not_planned_again(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.order("C-1", "1800")
    rig.run(0.2)
    rig.order("C-1", "1800", user=BOB)
    rig.run(12)
    taken = sum(order.quantity for asked in rig.exchange.waiting for order in asked.orders if order.symbol == "AX")
    assert len(rig.exchange.waiting) == 2
    assert taken <= 20


def test_one_asset_without_a_price_holds_up_its_own_orders_only(rig: DeskRig) -> None:
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.weigh("IW", (("AW", D(1)),))
    rig.set_book("AZ", (), ())
    rig.order("C-1", "1000")
    rig.order("C-2", "1000", symbol="IW")
    rig.run(60)
    assert [(fact.order_id, fact.reason, fact.asset) for fact in rig.facts(IndexOrderDeferred)] == [
        ("I-1", "no_price", "AZ")
    ]
    assert [fact.order_id for fact in rig.facts(IndexOrderEnded)] == ["I-2"]
    rig.set_book("AZ", levels((295, 80)), levels((300, 50)))
    rig.run(60)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED] * 2


def test_orders_that_cannot_be_planned_do_not_keep_later_ones_out(rig: DeskRig) -> None:
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.weigh("IW", (("AW", D(1)),))
    rig.set_book("AZ", (), ())
    for number in range(9):
        rig.order(f"C-{number}", "1000", user=f"1:0x{number}")
    rig.order("C-9", "1000", symbol="IW")
    rig.run(30)
    assert [fact.order_id for fact in rig.facts(IndexOrderEnded)] == ["I-10"]


def stir(rig: DeskRig, asset: str) -> int:
    """Let a book change in nothing that matters, ten times in three seconds; return how many problems were posed."""
    posed: list[PlanProblem] = []
    rig.desk.on_planned = lambda _now, problem, _batch: posed.append(problem)
    bids, asks = rig.books[asset]
    for size in range(10):
        rig.set_book(asset, (*bids, (D(1), D(1 + size))), asks)
        rig.run(0.3)
    return len(posed)


def test_an_order_that_wants_a_price_is_planned_again_when_its_asset_moves_and_not_with_others(rig: DeskRig) -> None:
    rig.set_book("AZ", (), ())
    rig.order("C-1", "1000")
    rig.run(11)
    assert rig.desk.state.orders.ready.parked == {"I-1": of_asset("AZ")}
    assert stir(rig, "AX") == 0
    assert stir(rig, "AZ") == 10


def test_an_order_that_is_too_small_for_now_is_planned_again_when_any_asset_of_its_index_moves(rig: DeskRig) -> None:
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.weigh("IW", (("AW", D(1)),))
    rig.order("C-1", "0.00005")
    rig.run(11)
    assert rig.desk.state.orders.ready.parked == {"I-1": of_index("IX")}
    assert stir(rig, "AW") == 0
    assert stir(rig, "AX") == 10


def test_while_there_is_no_room_moving_markets_plan_nothing_and_wake_nobody() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, max_total_volley_size=D(1500), min_total_volley_available=D(1400))
    rig = ready_rig(structs.replace(settings, limits=limits))
    rig.exchange.paused = True
    rig.order("C-1", "700")
    rig.run(11)
    rig.order("C-2", "700")
    rig.run(11)
    assert len(rig.facts(IndexPlanPutOff)) == 1
    assert stir(rig, "AX") == 0
    assert "tick" not in rig.timers
    rig.resume_exchange()
    rig.run(1)
    assert [fact.order_ids for fact in rig.facts(IndexBatchOpened)][-1] == ("I-2",)


def test_a_desk_with_nothing_to_plan_for_stays_asleep(rig: DeskRig) -> None:
    rig.set_book("AZ", (), ())
    rig.order("C-1", "1000")
    rig.run(11)
    before = len(rig.effects)
    rig.run(20)
    assert "tick" not in rig.timers
    assert len(rig.effects) == before


def test_a_dense_stream_of_events_does_not_keep_ticks_from_coming(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    for update in range(3000):
        rig.run(0.004)
        rig.set_book("AX", levels((90, 10)), ((D(100), D(20 + update % 7)),))
    assert len(rig.facts(IndexBatchOpened)) >= 1


def test_prices_that_are_too_old_are_none(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.run(5)
    stale = rig.settings.books.stale_after_ns
    feed = rig.desk.state.books.feeds["AX"]
    feed.updated_at = rig.now + 5000 * MILLISECOND - stale
    feed.act_at = rig.now + stale
    rig.run(10)
    assert [fact.reason for fact in rig.facts(IndexOrderDeferred)] == ["no_price"]
