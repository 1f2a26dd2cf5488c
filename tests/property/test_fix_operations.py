"""Two engines under operators, strangers and lost bytes: they never talk for ever, and agree once they start over."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from core.fix.codec import encode
from core.fix.records import (
    AskForHeartbeat,
    DropConnection,
    LogOn,
    LogOut,
    ResetNumbers,
    SetNumbers,
)
from core.fix.timestamps import format_timestamp
from core.kernel.record import Bytes, Message, Record
from core.units import SECOND
from tests.helpers.fix import ORDER, Bench, Pair, acceptor_config, initiator_config, order, report, wire

STEPS, TOGETHER = 60, 10
NAMES = {"maker": "ROMER", "venue": "MM1"}
BODIES = {
    "0": [""],
    "1": ["112=x"],
    "2": ["7=1|16=0", "7=2|16=5", "7=0|16=1", "7=100000000000000000|16=0"],
    "3": ["45=1"],
    "4": ["36=1", "36=9|123=Y", "36=50|123=N", "36=10000000000000000"],
    "5": [""],
    "A": ["98=0|108=30", "98=0|108=30|141=Y", "98=0|108=30|789=99999"],
    "D": [ORDER, f"{ORDER}|58={'x' * 3_000}", f"{ORDER}|nothing"],
    "j": ["372=D|380=0"],
}


class Chaos:
    """One pair, under settings that the seed has, and what is done to it."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.pair = Pair(initiator_config(**self._settings()), acceptor_config(**self._settings()))

    def _settings(self) -> dict[str, Any]:
        choice = self.draw.choice
        policies = ("reset_on_logon", "reset_on_logout", "reset_on_disconnect", "reset_on_error")
        return {name: self.draw.random() < 0.15 for name in policies} | {
            "resend_request_chunk_size": choice([0, 0, 1, 3]),
            "closed_resend_interval": choice([False, True]),
            "next_expected_msg_seq_num": choice([False, True]),
            "resend_batch": choice([1, 3, 100]),
            "resend_timeout": choice([2, 60]) * SECOND,
            "early_messages_max": choice([0, 1, 1_000]),
            "kept_messages_max": choice([0, 5, 1_000]),
            "app_messages_per_second_max": choice([0, 5]),
            "message_bytes_max": choice([2_000, 65_536]),
        }

    def run(self) -> None:
        """Do things to both sides, each to its end."""
        steps = [self._talk, self._talk, self._lose, self._wait, self._wait, self._operate, self._operate, self._forge]
        for _ in range(STEPS):
            self.draw.choice(steps)(*self.draw.choice([("maker", self.pair.maker), ("venue", self.pair.venue)]))
            self.pair.settle()

    def _talk(self, side: str, bench: Bench) -> None:
        for number in range(self.draw.choice([1, 10])):
            said = order(f"a{number}", text="x" * self.draw.choice([1, 3_000])) if side == "maker" else report("E")
            bench.tell(NAMES[side], said)

    def _lose(self, _side: str, bench: Bench) -> None:
        if self.draw.random() < 0.5:
            self.pair.cut()
        else:
            bench.transmitted.clear()

    def _wait(self, _side: str, bench: Bench) -> None:
        self.pair.wait(self.draw.choice([0.5, 3, 40]))
        bench.restart()

    def _operate(self, side: str, bench: Bench) -> None:
        name = NAMES[side]
        state, by = bench.engine.state.sessions[name], self.draw.choice([-5, -1, 1, 50])
        plain: list[Record] = [
            LogOn(name),
            LogOut(name),
            DropConnection(name),
            ResetNumbers(name),
            AskForHeartbeat(name),
        ]
        numbers = [SetNumbers(name, max(1, state.next_out + by)), SetNumbers(name, next_in=max(1, state.next_in + by))]
        bench.handle(Message("admin", self.draw.choice([*plain, *numbers])))

    def _forge(self, side: str, bench: Bench) -> None:
        """Something that the other side never said arrives on the connection."""
        if not self.pair.up:
            return
        kind = self.draw.choice(sorted(BODIES))
        body = self.draw.choice(BODIES[kind])
        number = bench.engine.state.sessions[NAMES[side]].next_in + self.draw.choice([0, 0, 1, -1, 50, 10**15])
        if "141=Y" in body:
            number = 1
        head = f"35={kind}|34={number}|49={NAMES[side]}|52={format_timestamp(bench.now)}"
        again = self.draw.choice(["", "|43=Y|122=20231114-22:13:20"])
        raw = encode(wire(f"{head}|56={bench.engine.config.comp_id}{again}{'|' if body else ''}{body}"))
        bench.handle(Bytes(self.pair.up if side == "maker" else self.pair.venue_conn, raw))

    def start_over(self) -> None:
        """Both operators take their sessions down, reset them, and let them be up."""
        sides = (("venue", self.pair.venue), ("maker", self.pair.maker))
        for operation in (LogOut, ResetNumbers, LogOn):
            for side, bench in sides:
                bench.handle(Message("admin", operation(NAMES[side])))
            if operation is LogOut:
                self.pair.settle()
                self.pair.cut()
        self.pair.settle()
        self.pair.wait(70)


@pytest.mark.parametrize("first", range(0, 100, TOGETHER))
def test_whatever_is_done_to_two_engines_they_come_to_rest_and_can_start_over(first: int) -> None:
    for seed in range(first, first + TOGETHER):
        chaos = Chaos(seed)
        try:
            chaos.run()
            chaos.start_over()
            pair = chaos.pair
            assert [bench.changes[-1][1] for bench in (pair.maker, pair.venue)] == ["active", "active"]
            pair.maker.tell("ROMER", order("last"))
            pair.settle()
            assert pair.venue.received[-1] == order("last")
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}") from error
