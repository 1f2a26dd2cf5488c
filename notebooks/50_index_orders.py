# %% [markdown]
# # How does an index order become a token?
#
# Somebody deposits money and orders an index. A desk brings the money to an exchange, buys the basket in batches, and
# mints tokens for what it bought. This notebook follows one order to the last digit, then a short day of many.

# %%
from pathlib import Path

import sim

scenarios = Path(sim.__file__).parents[1] / "scenarios"
one = sim.run(scenarios / "index_sbe.toml")
print(one)

# %% [markdown]
# The fill table says what the owner heard: each line is a step in which a whole part of the basket was complete.
# A lot of one asset alone fills nothing.
#
# ## Two ways to plan
#
# That run plans as the reference system does: its exchange orders ignore the batch cap, and it does not buy an asset
# of which something is left over. Romer's own planner keeps to the cap, uses what is left over *and* buys what is
# missing, and charges what was spent.

# %%
corrected = sim.run(scenarios / "index_sbe.toml", overrides=["desk.limits.mode=corrected"])

names = ["filled_quantity", "amount_paid", "amount_remaining", "execution_price", "lots"]
table = {
    name: {
        **run.invoices[names].iloc[0],
        "batches": len(run.index_batches),
        "given back or credited": run.index_orders["refund"][0] + run.index_orders["credited"][0],
    }
    for name, run in (("reference", one), ("corrected", corrected))
}

import pandas as pd

pd.DataFrame(table)

# %%
batches = ["batch_id", "engaged", "carried", "asset_orders", "volley", "value"]
one.index_batches[batches].merge(
    corrected.index_batches[batches], on="batch_id", how="left", suffixes=("", " corrected")
)

# %% [markdown]
# ## The life of the order
#
# From collateral to invoice, every step with its reason: what `romer-sim explain` prints.

# %%
data, story = corrected.kind.explain(corrected, "C-01")
print("\n".join(story.splitlines()[:40]))

# %% [markdown]
# ## A short day
#
# Thirteen users, three indexes, thin books, an exchange that refuses some orders and loses some answers. Invariants are
# checked after every event of the run: had one unit of anything been lost, there would be no result.

# %%
day = sim.run(scenarios / "index_day.toml", overrides=["run.duration=2m", "run.drain=4m", "desk.order_expiry=2m"])
day.index_orders[["order_id", "side", "symbol", "amount", "status", "filled_quantity", "refund", "batches"]].head(12)

# %%
day.plot.fill_progress()

# %% [markdown]
# What was bought and belongs to no order is the house's: surplus of smallest orders and of rounding. It is used first
# when the next order needs the asset, and it has a limit.

# %%
day.plot.inventory()

# %% [markdown]
# ## What a token is worth
#
# NAV is the basket at mid prices. What is held for the tokens follows it, apart from what trading has cost.

# %%
day.plot.nav()

# %% [markdown]
# ## Which planner?
#
# The matrix planner solves a linear program over the order books instead of raising all orders together. Where books
# are deep and a batch has one order, there is nothing to decide, and both say the same. So let ten seconds of orders
# become one batch, and let each want up to 2000 at once. `fairness` is what raising the least served order is worth to
# the program: here nothing.
#
# Both planners plan each problem that the run with the simple one had, and their plans are held to the same rules.

# %%
from sim.planners.study import study

scarce = [
    *("run.duration=2m", "run.drain=4m", "desk.order_expiry=2m", "desk.tick=10s"),
    *("desk.limits.max_order_volley_size=2000", "desk.limits.fairness=0"),
]
found = study(scenarios / "index_day.toml", overrides=scarce)

plans = found.frame("problems").groupby("planner", sort=False)
plans.agg(
    problems=("problem", "size"),
    wished=("wished", "sum"),
    engaged=("engaged", "sum"),
    surplus=("surplus", "sum"),
    left_over=("left_over", "mean"),
    least_share=("least_share", "mean"),
    orders=("orders", "sum"),
    violations=("violations", "sum"),
).T

# %% [markdown]
# The program gets more out of the same books, by serving few orders well and the others not at all. That is about one
# problem at a time. Over a whole run, what a plan leaves others find: the same day, the same draws, once with each.

# %%
found.frame("planners").set_index("planner").T

# %%
found.frame("tokens").pivot(index="symbol", columns="planner", values=["tokens", "cost", "slippage_bps"])

# %% [markdown]
# ## Ask the next question
#
# `romer-sim planners scenarios/index_day.toml --set desk.tick=10s` prints the same as one table. What is fairness
# worth? Leave `desk.limits.fairness` at its default, or set it to 10. Do deeper books (`desk.limits.max_levels=5`)
# make the planners equal again?
