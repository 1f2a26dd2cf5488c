"""From ready orders to batches: who is planned when, by whom, and what becomes of those who are not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index import matrix
from core.index.facts import IndexBatchOpened, IndexOrderDeferred, IndexPlanPutOff, OrderEngaged
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


def test_a_plan_for_an_order_that_has_gone_meanwhile_is_not_used(late: DeskRig) -> None:
    late.order("C-1", "1000")
    late.order("C-2", "1000")
    late.run(10.5)
    late.cancel("C-1")
    job = late.jobs[0]
    late.deliver(Computed(job.job_id, matrix.plan(job.problem)))
    assert planners(late) == [PlannerName.SIMPLE]
    assert [fact.order_id for fact in late.facts(OrderEngaged)] == ["I-2"]


def test_a_plan_that_breaks_the_rules_is_not_used(late: DeskRig) -> None:
    late.order("C-1", "1000")
    late.run(10.5)
    job = late.jobs[0]
    planned = matrix.plan(job.problem)
    late.deliver(Computed(job.job_id, structs.replace(planned, volley=D(1))))
    assert planners(late) == [PlannerName.SIMPLE]


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
