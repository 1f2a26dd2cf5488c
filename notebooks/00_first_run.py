# %% [markdown]
# # What did the orders of ten seconds get?
#
# One scenario, one seed, one run: three market makers send orders over FIX, four solvers compete to fill them.
# This notebook runs it and asks how much better than their limits the orders traded.

# %%
from pathlib import Path

import sim

scenario = Path(sim.__file__).parents[1] / "scenarios" / "quickstart.toml"
result = sim.run(scenario, seed=1)
print(result)

# %% [markdown]
# The digest stands for every message of the run: the same scenario, seed and commit give the same one again,
# on any machine.
#
# Every order is one row, from its limit to its fate. `result.describe("orders")` says what each column means
# and in which unit; there are more tables: `bids`, `commitments`, `blocks`, `fills`, `escrow`,
# `fix_messages`, `latency` and `notes`.

# %%
result.orders.head()

# %%
result.describe("orders")

# %% [markdown]
# ## The answer
#
# Price improvement is `(limit - price) * quantity` for a buy and the reverse for a sell. The picture shows its
# distribution over orders, in basis points of the limit; the table sums it up by pair and side.

# %%
result.plot.surplus()

# %%
result.metrics.surplus()

# %% [markdown]
# ## Who gave it
#
# The solver that bids best does not always pay. Its defaults cost it a penalty, and the order a wait until the
# next best bid takes over.

# %%
result.metrics.solver_share().merge(result.metrics.default_rate(), on="solver")

# %%
result.plot.solver_share()

# %% [markdown]
# ## The life of one order
#
# Here is the order that took the most attempts, with every bid, every decision and its reason.

# %%
from sim.results.explain import as_text, explain

most_tried = result.orders.sort_values("attempts", ascending=False, kind="stable")["order_id"].iloc[0]
print(as_text(explain(result, most_tried)))

# %% [markdown]
# ## Ask the next question
#
# Change one thing and keep the seed: both runs then see the same orders and the same noise, so what differs is
# the effect of the change. Here solver `s3` moves from 21 ms away to 1 ms. Other things to try:
#
# - `auction.bid_window=50ms`: what does a shorter auction cost the orders?
# - `sequencer.batch_window=100ms`: do orders fill sooner, and at what price?
# - `solver.s4.params.default_per_mille=0`: what did the defaults cost?

# %%
moved = sim.run(scenario, seed=1, overrides=["solver.s3.latency=1ms"])

before, after = (run.metrics.solver_share().set_index("solver")["share"] for run in (result, moved))
before.to_frame("s3 at 21 ms").join(after.to_frame("s3 at 1 ms"))
