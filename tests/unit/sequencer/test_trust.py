"""Who may have how much unchecked, and who is not trusted for how long."""

from __future__ import annotations

from core.sequencer.trust import DISTRUST, DISTRUST_MAX, UNCHECKED_MAX, Trust
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


def test_proven_is_who_was_checked_and_found_good_and_is_not_distrusted() -> None:
    trust = Trust()
    trust.prove(["MM1", "MM2", "MM1"])
    trust.distrust(0, ["MM2"])
    trust.prove(["MM2", "MM3"])
    assert list(trust.proven) == ["MM1", "MM3"]
    assert said(trust, "MM2", DISTRUST) == ""
    assert list(trust.proven) == ["MM1", "MM3"], "that its time is over proves nothing"
    trust.prove(["MM2"])
    assert list(trust.proven) == ["MM1", "MM3", "MM2"]


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
