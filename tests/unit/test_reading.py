"""Reading finds everything that does not fit, keeps what does, and knows which later faults are only its own doing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import Count, Duration, Section, decode_custom
from core.faults import Fault, dotted
from core.market.orders import Name, Side
from core.reading import Reading
from core.solver.problem import CostPlus, Params, Random


class Inner(Section, frozen=True, kw_only=True):
    """A table in a table."""

    id: Name
    side: Side = "buy"
    held: dict[Name, Decimal] = {}  # noqa: RUF012  # msgspec copies it


class Outer(Section, frozen=True, kw_only=True):
    """A table of everything that a file may have."""

    count: Count = 1
    span: Duration
    note: str | None = None
    inner: Inner
    many: tuple[Inner, ...] = msgspec.field(name="item", default=())
    params: Params = CostPlus()


NAME = "expected a name of letters, digits, dots, dashes or underscores, a letter or digit first"
GOOD: dict[str, Any] = {
    "count": 3,
    "span": "250ms",
    "inner": {"id": "a", "held": {"ETH": "1.5"}},
    "item": [{"id": "b", "side": "sell"}],
    "params": {"type": "random", "spread_bps": 7},
}


def read(data: Any) -> Reading[Outer]:
    return Reading(data, Outer, decode_custom)


def said(data: Any) -> list[str]:
    return [f"{dotted(fault.path)}: {fault.problem}" for fault in read(data).faults]


def test_what_fits_is_read_as_msgspec_reads_it() -> None:
    reading = read(GOOD)
    assert reading.faults == []
    assert reading.value == msgspec.convert(GOOD, Outer, dec_hook=decode_custom)
    assert reading.value.params == Random(spread_bps=7)


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"count": 0}, ["count: expected a whole number >= 1, got 0"]),
        ({"count": "three"}, ['count: expected a whole number, got "three"']),
        ({"span": 1.5}, ["span: 1.5 is a float, which is not exact"]),
        ({"span": "1"}, ['span: expected a duration such as "250ms" (units ns, us, ms, s, m, h, d), got "1"']),
        ({"note": 5}, ["note: expected text in quotes, got 5"]),
        ({"nota": "x"}, [": unknown section `nota`"]),
        ({"inner": "a"}, ['inner: expected a table, got "a"']),
        ({"inner": {"side": "sold", "held": {"E H": "1", "ETH": "lots"}}}, [
            "inner: `id` is missing",
            'inner.side: expected buy or sell, got "sold"',
            f'inner.held: {NAME}, got "E H"',
            'inner.held.ETH: expected an amount such as "100.25", got "lots"',
        ]),
        ({"item": {"id": "b"}}, ["item: expected a list, got a table"]),
        ({"item": [{"id": "b", "dis": 1}, 7]}, ["item[0]: unknown key `dis`", "item[1]: expected a table, got 7"]),
        ({"params": {}}, ["params: `type` is missing"]),
        ({"params": {"type": "cost_plsu"}}, ['params.type: there is no type "cost_plsu"']),
        ({"params": {"type": "random", "edge": 1, "spread_bps": "7"}}, [
            "params: unknown key `edge`",
            'params.spread_bps: expected a whole number, got "7"',
        ]),
    ],
)  # fmt: skip
def test_each_thing_that_does_not_fit_is_named_with_its_place(change: dict[str, Any], faults: list[str]) -> None:
    assert sorted(said({**GOOD, **change})) == sorted(faults)


def test_what_is_beside_a_fault_is_read_all_the_same() -> None:
    reading = read({**GOOD, "count": 0, "span": "soon", "inner": {"id": "a", "side": "sold", "held": {"ETH": "2"}}})
    assert reading.value == Outer(span=Duration(0), count=0, inner=Inner(id="a", held={"ETH": Decimal(2)}), **rest())


def rest() -> dict[str, Any]:
    return {"many": (Inner(id="b", side="sell"),), "params": Random(spread_bps=7)}


def test_a_tuple_is_read_as_a_list_is() -> None:
    reading = read(GOOD | {"item": ({"id": "b", "side": "up"}, {"id": "c"})})
    assert [dotted(fault.path) for fault in reading.faults] == ["item[0].side"]
    assert [item.id for item in reading.value.many] == ["b", "c"]


def test_data_of_another_shape_is_one_fault_and_all_its_values_are_replaced() -> None:
    reading = read([])
    assert [fault.problem for fault in reading.faults] == ["expected a table, got a list of 0"]
    assert reading.value == Outer(span=Duration(0), inner=Inner(id=""))
    assert not reading.is_news(Fault(("span",), ""))


@pytest.mark.parametrize(
    ("path", "others", "news"),
    [
        (("inner", "held", "ETH"), (), False),
        (("inner", "held"), (), False),
        (("inner", "id"), (), True),
        (("inner", "id"), (("inner", "held"),), False),
        (("item", 1, "id"), (), False),
        (("item", 0, "id"), (("span",),), True),
    ],
)
def test_a_fault_is_news_unless_it_is_about_a_value_that_was_replaced(path: Any, others: Any, news: bool) -> None:
    reading = read({**GOOD, "inner": {"id": "a", "held": {"ETH": "lots"}}, "item": [{"id": "b"}, {}]})
    assert reading.is_news(Fault(path, "", others=others)) is news


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(["", "a", "1ms", "random"]))
keys = st.sampled_from(["count", "span", "inner", "item", "params", "type", "id", "held", "\0"])
anything = st.recursive(scalars, lambda it: st.lists(it, max_size=3) | st.dictionaries(keys, it, max_size=4))


@given(anything)
def test_whatever_is_read_there_are_faults_exactly_when_msgspec_finds_one(data: Any) -> None:
    reading = read(data)
    try:
        expected = msgspec.convert(data, Outer, dec_hook=decode_custom)
    except msgspec.ValidationError:
        assert reading.faults
    else:
        assert reading.faults == []
        assert reading.value == expected
