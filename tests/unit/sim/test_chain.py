"""The simulated chain: obeys once, confirms when a block is sealed, and says the same thing again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from simpy import Environment

from core.index.chain import ChainConfirmed, ChainDeclined, ChainRefused, MintIndex, ReturnIndex
from core.index.chain_log import IndexBlockSealed
from core.kernel.record import Call, Record
from core.kernel.rng import stream
from core.units import SECOND
from sim.chain import SimChain
from sim.chain_models import Declinable
from sim.latency import Constant, sampler

USER = "1:0xaa"


class Caller:
    """Keeps what it is told."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.heard: list[tuple[int, str, Record]] = []

    def reply(self, span: int, call_id: str, answer: Record) -> None:
        self.heard.append((int(self.env.now) + span, call_id, answer))


def chain(
    env: Environment,
    *,
    refused: int = 0,
    lost: int = 0,
    declined: int = 0,
    declinable: tuple[Declinable, ...] = ("mint", "burn"),
    on_sealed: Callable[[IndexBlockSealed], None] = lambda _sealed: None,
) -> SimChain:
    span, draws = sampler(Constant(SECOND), stream(1, "latency")), stream(1, "chain")
    return SimChain(
        env, span, draws, refused=refused, lost=lost, declined=declined, declinable=declinable, on_sealed=on_sealed
    )


def mint(key: str, quantity: str = "2") -> MintIndex:
    return MintIndex(key, "IX", USER, Decimal(quantity), 0, "P-1", Decimal(100), Decimal(50))


def ask(subject: SimChain, caller: Any, call_id: str, body: Record) -> None:
    subject.ask(caller, Call("chain", call_id, body))


def test_requests_of_one_second_share_a_block() -> None:
    env = Environment(0)
    subject, caller = chain(env), Caller(env)
    ask(subject, caller, "a", mint("one"))
    ask(subject, caller, "b", mint("two"))
    assert not caller.heard
    env.run()
    (at, _, first), (_, _, second) = caller.heard
    assert isinstance(first, ChainConfirmed)
    assert isinstance(second, ChainConfirmed)
    assert (at, first.height, first.index, second.index) == (SECOND, 1, 0, 1)
    assert subject.balance("IX", USER) == 4


def test_the_same_key_mints_once_and_is_confirmed_again() -> None:
    env = Environment(0)
    subject, caller = chain(env), Caller(env)
    ask(subject, caller, "a", mint("one"))
    ask(subject, caller, "b", mint("one"))
    env.run()
    ask(subject, caller, "c", mint("one"))
    env.run()
    assert [call_id for _, call_id, _ in caller.heard] == ["a", "b", "c"]
    assert len({answer for _, _, answer in caller.heard}) == 1
    assert subject.balance("IX", USER) == 2


def test_tokens_are_given_into_custody_by_those_who_have_them() -> None:
    env = Environment(0)
    subject, caller = chain(env), Caller(env)
    ask(subject, caller, "a", mint("one"))
    env.run()
    assert subject.give("IX", USER, Decimal(3)) is None
    given = subject.give("IX", USER, Decimal(2))
    assert given is not None
    assert (given.amount, subject.balance("IX", USER)) == (Decimal(2), Decimal(0))


def test_a_chain_that_is_busy_refuses_and_one_that_loses_answers_says_nothing() -> None:
    env = Environment(0)
    busy, deaf = Caller(env), Caller(env)
    ask(chain(env, refused=1000), busy, "a", mint("one"))
    ask(chain(env, lost=1000), deaf, "a", mint("one"))
    env.run()
    assert [type(answer) for _, _, answer in busy.heard] == [ChainRefused]
    assert not deaf.heard


def test_what_a_chain_has_declined_it_declines_whenever_it_is_asked_and_what_it_has_taken_it_does() -> None:
    env = Environment(0)
    subject, caller = chain(env, declined=500), Caller(env)
    keys = [f"mint:I-{number}" for number in range(20)]
    for _ in range(3):
        for key in keys:
            ask(subject, caller, key, mint(key))
        env.run()
    said = {key: {type(answer) for _, call_id, answer in caller.heard if call_id == key} for key in keys}
    assert {kind for kinds in said.values() for kind in kinds} == {ChainConfirmed, ChainDeclined}
    assert {len(kinds) for kinds in said.values()} == {1}
    assert len(caller.heard) == 60


def test_what_a_chain_is_not_told_to_decline_it_does() -> None:
    env = Environment(0)
    subject, caller = chain(env, declined=1000, declinable=("return",)), Caller(env)
    ask(subject, caller, "a", mint("mint:I-1"))
    ask(subject, caller, "b", ReturnIndex("return:I-1", "IX", USER, Decimal(1)))
    env.run()
    assert {call_id: type(answer) for _, call_id, answer in caller.heard} == {"a": ChainConfirmed, "b": ChainDeclined}


def test_what_a_user_gives_is_in_a_block_that_the_chain_states() -> None:
    env, stated = Environment(0), list[IndexBlockSealed]()
    subject, caller = chain(env, on_sealed=stated.append), Caller(env)
    ask(subject, caller, "a", mint("mint:I-1"))
    env.run()
    subject.give("IX", USER, Decimal(2))
    subject.give("IX", USER, Decimal(2))
    env.run()
    assert [[event.did.key for event in sealed.events] for sealed in stated] == [["mint:I-1"], ["deposit:0"]]
    assert [sealed.block.sealed_at for sealed in stated] == [SECOND, 2 * SECOND]
    assert len(caller.heard) == 1
