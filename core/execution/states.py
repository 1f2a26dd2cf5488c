"""The states of an order at an exchange.

The exchange owns the truth about an order and tells it over a line that loses things, so the machine says how much of
the truth is known here, not what the order is.

`created`: the exchange has never heard of it. It waits for a session and for room under the rate limits, in line, and
is the only state from which nothing has to be undone: here an order ends by its own deadline, or by a cancel.

`sent`: a request to place it is out. A definite refusal ends it. A refusal for the rate had no effect, so the order is
`created` again, at the head of the line. Silence, a lost session and every refusal that does not say what happened
make it `unknown`.

`live`: the exchange has it. It trades, and tells so. That it says nothing for a while is a reason to ask.

`unknown`: nobody here can say what became of it, or the exchange says that it has ended and has not yet told all its
trades. It is asked about until the answer is conclusive, however long that takes, because an outcome that was made up
would be a position that nobody knows of. While there is no session nobody can be asked, and nothing is.

`ended`: all trades are told and nothing more can come. It is reached with a final status whose executed quantity the
known trades add up to, with a definite refusal, or with the exchange's word that it does not know the order.

That word is worth what the question was. A request may be under way until the last instant at which the exchange may
take it, so who asks before that may be told of no such order and the exchange have it a moment later. Who asks after it
hears the truth, because nothing that follows makes the order known; when the answer comes, and how often the exchange
has been asked again by then, does not matter. Of an order that it has spoken of the exchange has forgotten something:
it has to say so several times, each time to another question, asked since it last spoke of the order.

Trades and a final status may come in every state: even for an order in line, if the exchange took what it had said it
would not. They are believed, whichever way and in whatever order they come.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.kernel.fsm import Machine


class OrderKnowledge(StrEnum):
    """How much is known of an order."""

    CREATED = "created"
    SENT = "sent"
    LIVE = "live"
    UNKNOWN = "unknown"
    ENDED = "ended"


class OrderNews(StrEnum):
    """What can happen to that knowledge."""

    SENT = "sent"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    DOUBTED = "doubted"
    ENDED = "ended"


EXCHANGE_ORDERS: Final = Machine(
    "exchange order",
    {
        OrderKnowledge.CREATED: {
            OrderNews.SENT: OrderKnowledge.SENT,
            OrderNews.ACCEPTED: OrderKnowledge.LIVE,
            OrderNews.DOUBTED: OrderKnowledge.UNKNOWN,
            OrderNews.ENDED: OrderKnowledge.ENDED,
        },
        OrderKnowledge.SENT: {
            OrderNews.DEFERRED: OrderKnowledge.CREATED,
            OrderNews.ACCEPTED: OrderKnowledge.LIVE,
            OrderNews.DOUBTED: OrderKnowledge.UNKNOWN,
            OrderNews.ENDED: OrderKnowledge.ENDED,
        },
        OrderKnowledge.LIVE: {
            OrderNews.DOUBTED: OrderKnowledge.UNKNOWN,
            OrderNews.ENDED: OrderKnowledge.ENDED,
        },
        OrderKnowledge.UNKNOWN: {
            OrderNews.ACCEPTED: OrderKnowledge.LIVE,
            OrderNews.ENDED: OrderKnowledge.ENDED,
        },
        OrderKnowledge.ENDED: {},
    },
)
