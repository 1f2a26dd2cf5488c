"""What operators may do to market makers and keys, and what is refused, with its reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from core.identity.audit import verify_audit
from core.identity.records import (
    ActivateKey,
    ActivateMaker,
    ChangePermissions,
    Command,
    CommandRefused,
    Permissions,
    PermissionsChanged,
    ResumeMaker,
    RevokeMaker,
    StageKey,
    SuspendMaker,
)
from core.identity.registry import Maker
from core.kernel.codec import encode
from core.kernel.record import Message
from tests.helpers.fix import NOW
from tests.helpers.identity import Desk, proof, public, register, stage, step


def maker(desk: Desk, name: str = "MM1") -> Maker:
    return desk.registrar.state.registry.makers[name]


def keys(desk: Desk) -> dict[bytes, str]:
    return {key.public_key: key.status for key in maker(desk).keys}


def test_a_market_maker_is_registered_with_a_proven_key_and_pending() -> None:
    desk = Desk()
    permissions = Permissions(("D", "F"), ("ETHUSDC",), Decimal(5), 10)
    desk.commands(register("MM1", permissions=permissions, signing="order"))
    record = maker(desk)
    assert (record.status, record.registered_at, record.signing) == ("pending", NOW, "order")
    assert record.permissions == permissions
    assert keys(desk) == {public("MM1"): "active"}


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([ActivateMaker], "active"),
        ([ActivateMaker, SuspendMaker], "suspended"),
        ([ActivateMaker, SuspendMaker, ResumeMaker], "active"),
        ([RevokeMaker], "revoked"),
        ([ActivateMaker, RevokeMaker], "revoked"),
        ([ActivateMaker, SuspendMaker, RevokeMaker], "revoked"),
    ],
    ids=lambda it: it if isinstance(it, str) else ",".join(kind.__name__ for kind in it),
)
def test_the_status_follows_the_commands(steps: list[type[Any]], status: str) -> None:
    desk = Desk()
    desk.commands(register("MM1"), *(step(kind, "MM1") for kind in steps))
    assert maker(desk).status == status


def test_a_key_is_changed_by_way_of_an_overlap_with_one_active_key_throughout() -> None:
    desk = Desk()
    desk.register("MM1")
    desk.commands(stage("MM1", "new"))
    assert keys(desk) == {public("MM1"): "active", public("new"): "staged"}
    desk.commands(step(ActivateKey, "MM1"))
    assert keys(desk) == {public("MM1"): "revoked", public("new"): "active"}


def test_a_staged_key_that_was_a_mistake_is_revoked_by_staging_another() -> None:
    desk = Desk()
    desk.register("MM1")
    desk.commands(stage("MM1", "lost"), stage("MM1", "new"))
    assert keys(desk) == {public("MM1"): "active", public("lost"): "revoked", public("new"): "staged"}


def test_the_keys_of_a_revoked_market_maker_are_revoked() -> None:
    desk = Desk()
    desk.register("MM1")
    desk.commands(stage("MM1", "new"), step(RevokeMaker, "MM1"))
    assert set(keys(desk).values()) == {"revoked"}


def permit(name: str, **permissions: Any) -> ChangePermissions:
    return ChangePermissions(name, Permissions(**permissions), "ops", "because")


def test_permissions_are_replaced_as_a_whole_and_the_audit_log_has_all_of_them() -> None:
    desk = Desk()
    desk.commands(register("MM1", permissions=Permissions(symbols=("ETHUSDC",))))
    desk.commands(permit("MM1", order_quantity_max=Decimal(2)))
    assert maker(desk).permissions == Permissions(order_quantity_max=Decimal(2))
    assert desk.audit[-1].command == permit("MM1", order_quantity_max=Decimal(2))
    assert verify_audit(desk.audit) is None


def test_permissions_that_are_named_change_and_the_others_stay() -> None:
    desk = Desk()
    desk.commands(register("MM1", permissions=Permissions(symbols=("ETHUSDC",))))
    rate = Permissions(messages_per_second_max=50)
    desk.commands(ChangePermissions("MM1", rate, "ops", "because", ("messages_per_second_max",)))
    size = Permissions(order_quantity_max=Decimal(2))
    desk.commands(ChangePermissions("MM1", size, "risk", "because", ("order_quantity_max", "symbols")))
    assert maker(desk).permissions == Permissions(order_quantity_max=Decimal(2), messages_per_second_max=50)
    assert desk.said(PermissionsChanged)[-1].permissions == maker(desk).permissions
    assert verify_audit(desk.audit) is None


def test_a_permission_that_is_given_and_not_named_is_refused() -> None:
    given = Permissions(symbols=("ETHUSDC",), messages_per_second_max=50)
    refused = prepared().command(ChangePermissions("MM1", given, "ops", "because", ("symbols",)))
    assert isinstance(refused, CommandRefused)
    assert refused.detail == "messages_per_second_max is given, and is not in `only`"


def test_a_change_of_all_permissions_is_written_as_it_was_before_some_could_be_named() -> None:
    written = {
        "type": "ChangePermissions",
        "maker": "MM1",
        "permissions": {"type": "Permissions"},
        "who": "o",
        "why": "w",
    }
    assert msgspec.msgpack.decode(encode(ChangePermissions("MM1", Permissions(), "o", "w"))) == written


def test_what_is_wrong_with_permissions_is_in_the_refusal() -> None:
    refused = prepared().command(permit("MM1", messages_per_second_max=-5))
    assert isinstance(refused, CommandRefused)
    assert refused.detail == "messages_per_second_max must be above zero, got -5"


def prepared() -> Desk:
    """MM1 with a revoked, an active and a staged key, MM2 pending, MM3 revoked."""
    desk = Desk()
    desk.register("MM1", "MM3")
    desk.rotate("MM1", "second")
    desk.commands(stage("MM1", "third"), register("MM2"), step(RevokeMaker, "MM3"))
    return desk


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (step(ActivateMaker, "MM9"), "unknown_maker"),
        (step(ActivateKey, "MM9"), "unknown_maker"),
        (stage("MM9", "x"), "unknown_maker"),
        (register("MM1", "x"), "already_registered"),
        (register("MM3", "x"), "already_registered"),
        (step(ActivateMaker, "MM1"), "wrong_status"),
        (step(ResumeMaker, "MM1"), "wrong_status"),
        (step(SuspendMaker, "MM2"), "wrong_status"),
        (step(RevokeMaker, "MM3"), "wrong_status"),
        (stage("MM3", "x"), "wrong_status"),
        (step(ActivateKey, "MM3"), "wrong_status"),
        (step(ActivateKey, "MM2"), "no_staged_key"),
        (permit("MM9"), "unknown_maker"),
        (permit("MM3"), "wrong_status"),
        (permit("MM1", order_quantity_max=Decimal(0)), "invalid_permissions"),
        (permit("MM1", order_quantity_max=Decimal("NaN")), "invalid_permissions"),
        (permit("MM1", order_quantity_max=Decimal("sNaN")), "invalid_permissions"),
        (permit("MM1", order_quantity_max=Decimal("Infinity")), "invalid_permissions"),
        (permit("MM1", order_quantity_max=Decimal("1e999999")), "invalid_permissions"),
        (permit("MM1", order_quantity_max=Decimal("0." + "1" * 29)), "invalid_permissions"),
        (permit("MM1", order_quantity_max=Decimal(10**18)), "invalid_permissions"),
        (permit("MM1", messages_per_second_max=0), "invalid_permissions"),
        (permit("MM1", messages_per_second_max=2**62), "invalid_permissions"),
        (permit("MM1", symbols=()), "invalid_permissions"),
        (permit("MM1", msg_types=()), "invalid_permissions"),
        (register("MM9", permissions=Permissions(order_quantity_max=Decimal(-1))), "invalid_permissions"),
        (register("MM9", "second"), "key_in_use"),
        (register("MM9", "MM1"), "key_in_use"),
        (stage("MM2", "third"), "key_in_use"),
        (stage("MM1", "MM1"), "key_in_use"),
        (stage("MM1", "MM3"), "key_in_use"),
        (register("MM9", proof=proof("x")), "unproven_key"),
        (StageKey("MM1", public("x"), proof("second"), "ops", "theft"), "unproven_key"),
        (register("MM9", proof=proof("MM9")[:-1]), "invalid_key"),
        (StageKey("MM1", b"\xc0" + bytes(47), proof("x"), "ops", "typo"), "invalid_key"),
        (StageKey("MM1", public("x")[:-1], proof("x"), "ops", "typo"), "invalid_key"),
    ],
    ids=lambda it: it if isinstance(it, str) else f"{type(it).__name__}-{it.maker}",
)
def test_a_command_that_cannot_be_obeyed_is_refused_and_changes_nothing(command: Command, reason: str) -> None:
    desk = prepared()
    before = msgspec.msgpack.encode(desk.registrar.state.registry)
    refused = desk.command(command)
    assert isinstance(refused, CommandRefused)
    assert (refused.maker, refused.command, refused.who, refused.reason) == (
        command.maker,
        type(command).__name__,
        "ops",
        reason,
    )
    assert msgspec.msgpack.encode(desk.registrar.state.registry) == before


def test_what_is_wrong_with_a_key_is_in_the_refusal() -> None:
    refused = prepared().command(StageKey("MM1", b"\xc0" + bytes(47), proof("x"), "ops", "typo"))
    assert isinstance(refused, CommandRefused)
    assert refused.detail == "public key: identity"


def test_of_two_registrations_that_are_checked_at_a_time_the_second_is_refused() -> None:
    desk = Desk()
    for key in ("one", "two"):
        desk.handle(Message("admin", register("MM1", key)))
    desk.solve()
    desk.solve()
    assert desk.refused == ["already_registered"]
    assert keys(desk) == {public("one"): "active"}


def test_a_key_that_is_staged_for_two_at_a_time_is_the_first_ones() -> None:
    desk = Desk()
    desk.register("MM1", "MM2")
    for name in ("MM1", "MM2"):
        desk.handle(Message("admin", stage(name, "shared")))
    desk.solve(1)
    desk.solve()
    assert desk.refused == ["key_in_use"]
    assert desk.registrar.state.registry.owners[public("shared")] == "MM2"


def test_no_more_proofs_are_checked_at_a_time_than_may_be() -> None:
    desk = Desk(proofs_max=1)
    for name in ("MM1", "MM2"):
        desk.handle(Message("admin", register(name)))
    assert desk.refused == ["busy"]
    desk.solve()
    desk.commands(register("MM2"))


def test_every_change_is_in_the_audit_log_with_who_when_and_why_and_nothing_else_is() -> None:
    desk = prepared()
    desk.command(step(ResumeMaker, "MM1"))
    assert verify_audit(desk.audit) is None
    history = [entry for entry in desk.audit if entry.command.maker == "MM1"]
    names = [type(entry.command).__name__ for entry in history]
    assert names == ["RegisterMaker", "ActivateMaker", "StageKey", "ActivateKey", "StageKey"]
    staged = history[2]
    assert (staged.at, staged.command.who, staged.command.why) == (NOW, "ops", "yearly")
    assert len(desk.audit) == 9


def test_founders_are_active_from_the_start() -> None:
    desk = Desk(founders=(register("MM1"), register("MM2")))
    desk.begin()
    assert {it.maker: it.status for it in desk.registrar.state.registry.makers.values()} == {
        "MM1": "active",
        "MM2": "active",
    }
    assert verify_audit(desk.audit) is None
    assert desk.jobs == []
