"""Deposits, and the orders that wait for them: from `RouteCollateral` to its one answer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from core.collateral.books import Owner, as_stated, is_money
from core.collateral.facts import CollateralDepositRefused, CollateralDepositRepeated, CollateralNotRouted
from core.collateral.graph import Given, Route
from core.collateral.legs import abandon, go_on
from core.collateral.moving import begin, give_up, leave
from core.collateral.positions import ZERO, Key
from core.collateral.records import (
    CollateralAwaited,
    CollateralRefusal,
    CollateralRouted,
    DepositSeen,
    RouteCollateral,
    Stage,
    StopRoute,
)
from core.collateral.seen import SeenNumbers, is_numbered
from core.collateral.settings import chain_of
from core.collateral.states import Holding, HoldingStep
from core.collateral.transfers import Purpose, Transfer
from core.collateral.vault import RouteRequest, Vault
from core.kernel.record import CancelTimer, SetTimer
from core.units import EXACT, Nanos, as_integer, as_text, is_text

_DRAWN_ON: Final = (Holding.UNCONFIRMED, Holding.READY)
"""What is brought for an order, first to last."""


class _Way(NamedTuple):
    """How an order could be served: what is there already and where, and how the rest would get there."""

    credit: Decimal
    targets: tuple[str, ...]
    need: Decimal
    route: Route | None


class _Origin(NamedTuple):
    """Where the rest would come from, how much is there, and how long it may take."""

    place: str
    deposited: Decimal
    within: Nanos


def deposit(vault: Vault, now: Nanos, seen: DepositSeen) -> None:
    """Book a deposit, once however often it is seen."""
    chain = chain_of(seen.user)
    refusal = _deposit_refusal(vault, chain, seen)
    if refusal:
        user, number = as_text(seen.user), as_integer(seen.seq_num)
        vault.note(CollateralDepositRefused(user, number, as_stated(seen.amount), refusal))
        return
    if not vault.state.deposits_seen.setdefault(chain, SeenNumbers()).add(seen.seq_num):
        vault.note(CollateralDepositRepeated(seen.user, seen.seq_num))
        return
    place = seen.at or vault.settings.chains[chain].deposit
    key = Key(_lies_as(vault, chain, place), place)
    payment_id = vault.state.ids.next("P")
    books = vault.state.books
    owner, number = Owner(seen.user), seen.seq_num
    vault.note(books.open_lot(now, owner, payment_id, seen.amount, key=key, seq_num=number, what="deposited"))
    vault.freed[seen.user] = None


def request(vault: Vault, now: Nanos, asked: RouteCollateral) -> None:
    """Take an order's request up, or refuse it."""
    state, refusal = vault.state, _refusal(vault, asked) or _unreachable(vault, asked)
    if refusal is not None:
        if refusal is CollateralRefusal.NO_ROUTE:
            _explain(vault, asked, asked.amount, vault.settings.route_deadline)
        vault.refuse(asked.order_id, Stage.ROUTE, refusal)
        return
    deadline = now + vault.settings.route_deadline
    state.routes[asked.order_id] = RouteRequest(asked.order_id, asked.user, asked.symbol, asked.amount, deadline)
    vault.emit(SetTimer(f"order:{asked.order_id}", deadline))
    if not serve_order(vault, now, asked.order_id):
        state.waiting.setdefault(asked.user, []).append(f"order:{asked.order_id}")
        vault.answer(CollateralAwaited(asked.order_id))


def serve_order(vault: Vault, now: Nanos, order_id: str) -> bool:
    """Start an order's transfer, or answer it; False when the user's money does not cover it yet."""
    wanted = vault.state.routes[order_id]
    if _use_what_is_there(vault, now, wanted):
        return True
    lacking, within = ZERO, wanted.deadline - now
    source, *others = _places(vault, wanted)
    for place in (source, *others):
        origin = _Origin(place, vault.sum_of(Owner(wanted.user), _drawn_on(vault, wanted, place)), within)
        for way in _ways(vault, wanted, origin):
            if way.route is not None:
                _claim(vault, now, wanted, way.targets[0], way.credit)
                _depart(vault, now, wanted, place, way)
                return True
            lacking = way.need if place == source else lacking
    if lacking:
        _explain(vault, wanted, lacking, within)
        vault.emit(CancelTimer(f"order:{order_id}"))
        give_up(vault, now, order_id, CollateralRefusal.NO_ROUTE)
    return bool(lacking)


def fall_due(vault: Vault, now: Nanos, order_id: str) -> None:
    """An order's time is over."""
    travels = vault.state.routes[order_id].transfer_id in vault.state.transfers
    _let_go(vault, now, order_id, CollateralRefusal.TIMEOUT if travels else CollateralRefusal.NO_DEPOSIT)


def stop(vault: Vault, now: Nanos, asked: StopRoute) -> None:
    """An order does not want its collateral any more. One that has its answer has it by now, or soon."""
    if asked.order_id in vault.state.routes:
        vault.emit(CancelTimer(f"order:{asked.order_id}"))
        _let_go(vault, now, asked.order_id, CollateralRefusal.CANCELLED)


def _let_go(vault: Vault, now: Nanos, order_id: str, reason: CollateralRefusal) -> None:
    """Answer an order without its money. What is under way stays its user's, and turns back where it can."""
    wanted = vault.state.routes[order_id]
    transfer = vault.state.transfers.get(wanted.transfer_id)
    if transfer is None:
        vault.state.waiting[wanted.user].remove(f"order:{order_id}")
        give_up(vault, now, order_id, reason)
        return
    transfer.is_answered = True
    if transfer.leg is None:
        leave(vault, now, transfer)
    else:
        abandon(vault, now, transfer)
    give_up(vault, now, order_id, reason, transfer)


def _deposit_refusal(vault: Vault, chain: str, seen: DepositSeen) -> str:
    if not is_text(seen.user):
        return CollateralRefusal.INVALID_USER
    if chain not in vault.settings.chains:
        return CollateralRefusal.UNKNOWN_CHAIN
    if not is_numbered(seen.seq_num):
        return CollateralRefusal.INVALID_NUMBER
    if not is_money(seen.amount):
        return CollateralRefusal.INVALID_AMOUNT
    if seen.at and not any(seen.at in (hop.source, hop.destination) for hop in vault.settings.hops):
        return CollateralRefusal.NO_ROUTE
    return ""


def _lies_as(vault: Vault, chain: str, place: str) -> Holding:
    """What a deposit is held as: ready at a destination, unless orders of its chain draw on deposits there."""
    is_destination = any(place in places for places in vault.settings.destinations.values())
    is_source = vault.settings.is_source(place, chain)
    return Holding.READY if is_destination and not is_source else Holding.UNCONFIRMED


def _refusal(vault: Vault, asked: RouteCollateral) -> CollateralRefusal | None:
    settings, chain = vault.settings, chain_of(asked.user)
    if vault.state.stopping:
        return CollateralRefusal.STOPPED
    if not is_money(asked.amount):
        return CollateralRefusal.INVALID_AMOUNT
    if chain not in settings.chains and not _covers(vault, asked, _most_free(vault, asked)[1]):
        return CollateralRefusal.UNKNOWN_CHAIN
    if asked.symbol not in settings.destinations:
        return CollateralRefusal.UNKNOWN_SYMBOL
    if asked.order_id in vault.state.routes or _is_travelling(vault, asked.order_id):
        return CollateralRefusal.DUPLICATE
    return None


def _unreachable(vault: Vault, asked: RouteCollateral) -> CollateralRefusal | None:
    """Whether no deposit can help. Where something is free at a destination, less than all has to get there."""
    targets = vault.settings.destinations[asked.symbol]
    if any(vault.free(Owner(asked.user), place, Holding.READY) for place in targets):
        return None
    given = Given(within=vault.settings.route_deadline)
    ways = (vault.graph.plan(place, targets, asked.amount, given) for place in _places(vault, asked))
    return None if any(way is not None for way in ways) else CollateralRefusal.NO_ROUTE


def _places(vault: Vault, asked: RouteCollateral | RouteRequest) -> list[str]:
    """Where an order draws on money: where deposits for its index lie, then wherever else its user has any that is
    free, because it came there, or was left there; but not where orders for other indices alone draw on deposits."""
    settings, chain = vault.settings, chain_of(asked.user)
    free = vault.state.books.side(Owner(asked.user)).keys(lambda key: key.holding in _DRAWN_ON and not key.order_id)
    others = (key.place for key in free if not settings.is_source(key.place, chain))
    return list(dict.fromkeys((settings.source(chain, asked.symbol), *others)))


def _drawn_on(vault: Vault, asked: RouteRequest, place: str) -> list[Key]:
    """What of the user's an order could bring from there. What is ready at a destination is claimed, not brought."""
    is_destination = place in vault.settings.destinations[asked.symbol]
    holdings = _DRAWN_ON[:1] if is_destination else _DRAWN_ON
    return [key for holding in holdings for key in vault.free(Owner(asked.user), place, holding)]


def _explain(vault: Vault, asked: RouteCollateral | RouteRequest, amount: Decimal, within: Nanos) -> None:
    """State why no way takes what an order lacks."""
    source = vault.settings.source(chain_of(asked.user), asked.symbol)
    targets = vault.settings.destinations[asked.symbol]
    why = vault.graph.obstacle(source, targets, amount, within)
    vault.note(CollateralNotRouted(asked.order_id, asked.user, amount, source, " ".join(targets), why))


def _is_travelling(vault: Vault, order_id: str) -> bool:
    return any(transfer.order_id == order_id for transfer in vault.state.transfers.values())


def _ways(vault: Vault, wanted: RouteRequest, origin: _Origin) -> Iterator[_Way]:
    """The ways that the user's money covers: first those that use what is free at a destination, most first."""
    targets = vault.settings.destinations[wanted.symbol]
    owner = Owner(wanted.user)
    free = {place: vault.sum_of(owner, vault.free(owner, place, Holding.READY)) for place in targets}
    for place in sorted((place for place in targets if free[place]), key=lambda place: -free[place]):
        yield from _way(vault, wanted, (place,), min(free[place], wanted.amount), origin)
    yield from _way(vault, wanted, targets, ZERO, origin)


def _way(
    vault: Vault, wanted: RouteRequest, targets: tuple[str, ...], credit: Decimal, origin: _Origin
) -> Iterator[_Way]:
    lacking = EXACT.subtract(wanted.amount, credit)
    need = vault.enough(origin.deposited, lacking)
    if need is not None:
        yield _Way(credit, targets, need, vault.plan(origin.place, targets, need, within=origin.within))


def _use_what_is_there(vault: Vault, now: Nanos, wanted: RouteRequest) -> bool:
    """Answer an order that what is free at a destination covers; whoever's chain it is, nothing has to be brought."""
    place, free = _most_free(vault, wanted)
    if not _covers(vault, wanted, free):
        return False
    _claim(vault, now, wanted, place, min(free, wanted.amount))
    del vault.state.routes[wanted.order_id]
    vault.emit(CancelTimer(f"order:{wanted.order_id}"))
    vault.answer(CollateralRouted(wanted.order_id, wanted.credit, ZERO))
    return True


def _most_free(vault: Vault, asked: RouteCollateral | RouteRequest) -> tuple[str, Decimal]:
    """The destination where most is free, and how much."""
    owner, most = Owner(asked.user), ("", ZERO)
    for place in vault.settings.destinations.get(asked.symbol, ()):
        free = vault.sum_of(owner, vault.free(owner, place, Holding.READY))
        if free > most[1]:
            most = place, free
    return most


def _covers(vault: Vault, asked: RouteCollateral | RouteRequest, free: Decimal) -> bool:
    return vault.enough(free, asked.amount) is not None


def _claim(vault: Vault, now: Nanos, wanted: RouteRequest, place: str, credit: Decimal) -> None:
    wanted.credit = credit
    if credit:
        owner = Owner(wanted.user)
        keys = vault.free(owner, place, Holding.READY)
        vault.draw(now, owner, keys, HoldingStep.CLAIMED, credit, order_id=wanted.order_id)


def _depart(vault: Vault, now: Nanos, wanted: RouteRequest, source: str, way: _Way) -> None:
    assert way.route is not None
    transfer = Transfer(
        transfer_id=vault.state.ids.next("T"),
        purpose=Purpose.ROUTE,
        order_id=wanted.order_id,
        user=wanted.user,
        side="credit",
        requested=way.need,
        amount=way.need,
        at=source,
        targets=way.targets,
        home=source,
    )
    wanted.transfer_id = transfer.transfer_id
    keys = _drawn_on(vault, wanted, source)
    about = {"order_id": wanted.order_id, "transfer_id": transfer.transfer_id}
    vault.draw(now, transfer.owner, keys, HoldingStep.DEPARTED, way.need, **about)
    begin(vault, transfer, way.route.hops)
    go_on(vault, now, transfer)
