"""Who may have how much unchecked, and who is not trusted for how long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.sequencer.trust import DISTRUST, DISTRUST_MAX, LAPSE_SPAN, LAPSES_MAX, UNCHECKED_MAX, Trust
from core.units import SECOND


def waiting(**owners: int) -> Trust:
    """So many messages of each wait."""
    trust = Trust()
    for owner, count in owners.items():
        for _ in range(count):
            trust.wait_for(owner)
    return trust


def said(trust: Trust, owner: str, now: int = 0) -> str:
    refusal = trust.objection(owner, now)
    return str(refusal.reason) if refusal else ""


def test_an_owner_may_have_so_many_unchecked_and_no_more() -> None:
    trust = waiting(MM1=UNCHECKED_MAX - 1)
    assert said(trust, "MM1") == ""
    trust.wait_for("MM1")
    assert (said(trust, "MM1"), said(trust, "MM2")) == ("checks_behind", "")
    trust.settle(["MM1"])
    assert said(trust, "MM1") == ""


def test_what_others_have_unchecked_takes_nothing_from_an_owner_however_many_they_are() -> None:
    trust = waiting(**{f"MM{n}": UNCHECKED_MAX for n in range(200)}, honest=UNCHECKED_MAX - 1)
    assert [said(trust, owner) for owner in ("MM0", "MM199", "honest", "new")] == ["checks_behind"] * 2 + [""] * 2
    assert sum(trust.unchecked.values()) == 201 * UNCHECKED_MAX - 1, "the bound of all is one of each"


def test_what_is_settled_leaves_nothing_behind() -> None:
    trust = waiting(MM1=2, MM2=1)
    trust.settle(["MM1", "MM2", "MM1"])
    assert trust == Trust()


def test_distrust_lasts_by_the_number_of_culprits_and_never_long() -> None:
    trust = Trust()
    trust.distrust(SECOND, ["MM1", "MM2", "MM1"])
    trust.distrust(SECOND, ["MM3"] * 1_000)
    assert trust.distrusted == {"MM1": SECOND + 2 * DISTRUST, "MM2": SECOND + DISTRUST, "MM3": SECOND + DISTRUST_MAX}
    trust.distrust(SECOND, ["MM3"])
    assert trust.distrusted["MM3"] == SECOND + DISTRUST_MAX
    assert said(trust, "MM2", SECOND + DISTRUST - 1) == "signatures_distrusted"
    assert said(trust, "MM2", SECOND + DISTRUST) == ""
    assert "MM2" not in trust.distrusted
    assert said(trust, "MM4") == ""


def test_distrust_lasts_twice_as_long_each_time_and_never_longer_than_a_minute() -> None:
    trust, now, spans = Trust(), 0, []
    for _ in range(12):
        trust.distrust(now, ["MM1"])
        spans.append(trust.distrusted["MM1"] - now)
        now = trust.distrusted["MM1"]
        assert said(trust, "MM1", now) == ""
    assert spans == [min(DISTRUST_MAX, DISTRUST * 2**n) for n in range(12)]
    assert trust.lapses["MM1"][0] == LAPSES_MAX
    trust.distrust(now, ["MM2"])
    assert trust.distrusted["MM2"] - now == DISTRUST, "what others did counts for nobody"


def test_what_was_sent_before_an_owner_was_found_out_is_the_same_lapse() -> None:
    trust = waiting(MM1=3)
    for now in range(3):
        trust.distrust(now, ["MM1"])
        assert said(trust, "MM1", now) == "signatures_distrusted"
    assert trust.distrusted == {"MM1": 2 + DISTRUST}


def test_of_what_an_owner_was_found_out_for_one_time_is_forgotten_each_minute() -> None:
    for minutes, again in ((0, 3), (1, 2), (2, 1), (3, 0), (100, 0)):
        trust, now = Trust(), 0
        for _ in range(3):
            trust.distrust(now, ["MM1"])
            now = trust.distrusted["MM1"]
            assert said(trust, "MM1", now) == ""
        now += minutes * LAPSE_SPAN
        trust.distrust(now, ["MM1"])
        assert trust.distrusted["MM1"] - now == DISTRUST * 2**again


@given(st.lists(st.integers(0, 90 * SECOND), min_size=1, max_size=80))
def test_in_the_long_run_nobody_is_found_out_more_often_than_once_a_minute(pauses: list[int]) -> None:
    trust, now = Trust(), 0
    for pause in pauses:
        now = max(now, trust.distrusted.get("MM1", 0)) + pause
        assert said(trust, "MM1", now) == ""
        trust.distrust(now, ["MM1"])
    assert len(pauses) <= LAPSES_MAX + now // LAPSE_SPAN


def test_distrust_outlasts_its_time_while_messages_wait() -> None:
    trust = waiting(MM1=1)
    trust.distrust(0, ["MM1"])
    assert said(trust, "MM1", 60 * SECOND) == "signatures_distrusted"
    trust.settle(["MM1"])
    assert said(trust, "MM1", 60 * SECOND) == ""
