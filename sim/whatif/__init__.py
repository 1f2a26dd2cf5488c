"""A recorded market once more with something changed: what would have come of it.

**What is held fixed.** A venue's journal holds everything that came to it from outside: connections, and bytes.
These go into a fresh venue under other settings; all that the venue did itself it does anew. With nothing changed
that gives every delivery of the recording again, to the same digest. That is done first, every time, because who
cannot do it does not know what the recording holds.

**Open loop** (`--set`) holds what participants sent: orders and cancels as they were, bids at their terms. It
answers what other rules make of the same offers, exactly and order by order. It does not answer what people
would have offered under other rules; nobody in a recording ever changes its mind.

Some of what came in answers something that the venue said, and means nothing without it. So it goes where its
answer belongs now:

- A *bid* answers an offer: an order, up for auction in a block. It comes as long after the auction opened as it
  was recorded, for the same order. If the order is up in a later block than it was, the bid follows it there. A
  bid for all that was left of the order is for all that is left of it now. Nobody is made to know the future: for
  an auction of an order for which no bid had been made by then, there is none.
- A *deposit* answers an award. One that there was in the recording too, of the same order to the same solver, is
  answered after the same delay, and the amount follows what is owed. A default defaults again. An award that there
  was not is answered as the solver answers: after its median delay, and a solver that sometimes defaulted
  defaults with its recorded frequency, drawn from a stream that no other change moves.
- *FIX* bytes are sent as they were. Their sequence numbers are the client's own, and a session of ours takes
  any heartbeat; only a ResendRequest names numbers of ours, and gets what there is under these numbers now.

**Closed loop** (`--replace`) puts nodes in the place of participants, who see what happens now and react: solvers
with a strategy, market makers that send their recorded intents. The rest stays as in open loop.
"""
