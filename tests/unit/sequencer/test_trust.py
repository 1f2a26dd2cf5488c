"""Who may have how much unchecked, and who is not trusted for how long."""

from __future__ import annotations

from core.sequencer.trust import DISTRUST, DISTRUST_MAX, UNCHECKED_MAX, UNCHECKED_MAX_IN_ALL, Trust
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


def test_owners_share_what_all_may_have_and_who_has_none_is_never_refused() -> None:
    many = {f"MM{n}": 100 for n in range(19)}
    trust = waiting(**many, few=99)
    assert UNCHECKED_MAX_IN_ALL // 20 == 100
    assert [said(trust, owner) for owner in ("MM0", "few", "new")] == ["checks_behind", "", ""]
    trust = waiting(**{f"MM{n}": 1 for n in range(UNCHECKED_MAX_IN_ALL + 1)})
    assert (said(trust, "MM0"), said(trust, "new")) == ("checks_behind", "")


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


def test_distrust_outlasts_its_time_while_messages_wait() -> None:
    trust = waiting(MM1=1)
    trust.distrust(0, ["MM1"])
    assert said(trust, "MM1", 60 * SECOND) == "signatures_distrusted"
    trust.settle(["MM1"])
    assert said(trust, "MM1", 60 * SECOND) == ""
