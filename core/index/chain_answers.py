"""What the chain answers: it has done something, has not done it yet, or never will."""

from __future__ import annotations

from core.index.base import DeskBase
from core.index.chain import (
    BurnIndex,
    ChainConfirmed,
    ChainDeclined,
    ChainRefused,
    MintIndex,
    ReturnIndex,
    order_of,
)
from core.index.chain_calls import key_of
from core.index.declining import on_burn_declined, on_mint_declined
from core.index.facts import ChainCallDeclined, ChainCallDone, ChainDisputed
from core.index.minting import on_burned, on_minted
from core.index.returning import on_return_declined
from core.units import Nanos, as_text


def on_confirmed(desk: DeskBase, now: Nanos, call_id: str, at: ChainConfirmed) -> None:
    """The chain has done what it was asked. Said once more it changes nothing; of what it has declined, it is disputed
    and changes nothing."""
    request, effects = desk.state.chain.confirmed(call_id)
    for effect in effects:
        desk.emit(effect)
    if request is None:
        if desk.state.chain.is_barred(call_id):
            said = f"confirmed after it was declined, as event {at.index} of block {at.height} ({at.block_hash.hex()})"
            _dispute(desk, call_id, said)
        return
    desk.note(ChainCallDone(order_of(request), request.key, at.height, at.index, at.block_hash.hex()))
    if isinstance(request, MintIndex):
        on_minted(desk, now, request)
    elif isinstance(request, BurnIndex):
        on_burned(desk, now, request)


def on_refused(desk: DeskBase, now: Nanos, call_id: str, said: ChainRefused) -> None:
    """The chain has not done it, and is asked again."""
    for effect in desk.state.chain.refused(now, call_id, as_text(said.reason), desk.settings):
        desk.emit(effect)


def on_declined(desk: DeskBase, now: Nanos, call_id: str, said: ChainDeclined) -> None:
    """The chain will never do it: whoever waits for it waits no more. Nothing waits for weights and invoices."""
    reason, (request, effects) = as_text(said.reason), desk.state.chain.declined(call_id)
    for effect in effects:
        desk.emit(effect)
    if request is None:
        if not desk.state.chain.is_barred(call_id):
            _dispute(desk, call_id, f"declined after it was confirmed: {reason}")
        return
    desk.note(ChainCallDeclined(order_of(request), request.key, reason))
    if isinstance(request, MintIndex):
        on_mint_declined(desk, request, reason)
    elif isinstance(request, BurnIndex):
        on_burn_declined(desk, now, request, reason)
    elif isinstance(request, ReturnIndex):
        on_return_declined(desk, now, request, reason)


def _dispute(desk: DeskBase, call_id: str, what: str) -> None:
    """State that the chain contradicts its last word, once however often it says so."""
    if desk.state.chain.is_new_dispute(call_id, what):
        desk.note(ChainDisputed(key_of(call_id), what))
