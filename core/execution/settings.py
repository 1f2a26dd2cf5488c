"""What `Execution` is told at construction."""

from __future__ import annotations

import msgspec

from core.market.exchange import TimeInForce
from core.market.filters import Padding
from core.units import SECOND, Nanos


class ExecutionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times and limits of the work with an exchange. Every wait for somebody else has one."""

    desk: str = "desk"
    """The component that is told of its orders."""
    time_in_force: TimeInForce = TimeInForce.IOC
    padding: Padding = Padding.MINIMUM
    wait_ns_max: Nanos = 5 * SECOND
    """How long an order may wait to be sent, besides what the limits need for its batch alone. Its limit price was
    right when it came."""
    receive_window_ns: Nanos = 10 * SECOND
    """How long after it was sent the exchange may take an order."""
    reply_timeout_ns: Nanos = 3 * SECOND
    """What is not answered is asked again after this, or as long a pause as after a refusal if that is longer. An
    answer counts however late it comes."""
    live_check_ns: Nanos = 10 * SECOND
    """How long a live order may be silent before the exchange is asked."""
    retry_ns: Nanos = SECOND
    """How long to wait after a question or a cancel that was refused; doubled with each that came to nothing ..."""
    retry_ns_max: Nanos = 30 * SECOND
    """... up to this."""
    unknown_answers_max: int = 5
    """So often in a row an exchange may say that it does not know an order it has had, before that is believed."""
    rate_pause_ns: Nanos = SECOND
    """How long nothing is sent after the exchange said that it was too much."""
    refusals_max: int = 3
    """So many refusals in a row for one symbol open its circuit ..."""
    cooldown_ns: Nanos = 60 * SECOND
    """... for so long; then one order tries again."""
    ended_kept_max: int = 10_000
    """So many ended orders are remembered, to tell what is said twice from what is news."""
