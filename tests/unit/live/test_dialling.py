"""A command line becomes the configuration of a solver or a market maker, or one clear error."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InputError
from core.solver.problem import CostPlus, Unreliable
from live.credentials import proof_of
from live.dialling import maker_config, solver_config


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUSH", "hush")


def solver(**changes: Any) -> Any:
    fields: dict[str, Any] = {"env": "HUSH", "file": None, "strategy": "cost_plus", "params": ()}
    name, connect = changes.pop("name", "s1"), changes.pop("connect", "127.0.0.1")
    return solver_config(name, connect, **(fields | changes))


def test_a_solver_has_the_proof_of_its_token_and_a_strategy_with_parameters() -> None:
    config, token = solver(params=("margin_bps=3", "cost_bps=0"))
    assert (config.id, config.address, config.token, token) == ("s1", "127.0.0.1:8080", proof_of("hush"), "hush")
    assert config.params == CostPlus(margin_bps=3, cost_bps=0)
    assert solver(strategy="unreliable")[0].params == Unreliable()


def test_the_port_may_be_left_out() -> None:
    assert maker_config("MM1", "localhost", "ROMER").address == "localhost:9876"
    assert maker_config("MM1", "[::1]", "ROMER").address == "[::1]:9876"
    assert maker_config("MM1", "[::1]:1", "ROMER").address == "[::1]:1"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"env": None}, "where is the token"),
        ({"file": "hush"}, "where is the token"),
        ({"env": "NO_HUSH"}, "NO_HUSH is not set"),
        ({"strategy": "cost_pls"}, r"there is no strategy .*did you mean `cost_plus`"),
        ({"params": ("margin=3",)}, r"--set margin=3: .*did you mean `margin_bps`"),
        ({"params": ("margin_bps",)}, "expected NAME=VALUE"),
        ({"params": ("margin_bps=wide",)}, r'--set margin_bps: expected a whole number, got "wide"'),
        ({"params": ("margin_bps=10000",)}, "--set margin_bps: expected a whole number <= 9999"),
        ({"connect": "::1"}, "--connect: expected an address"),
        ({"connect": "a:b"}, "--connect: expected an address"),
        ({"name": "no name"}, "--id or --venue"),
    ],
)
def test_what_cannot_be_used_is_named(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        solver(**changes)
