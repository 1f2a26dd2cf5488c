# %% [markdown]
# # Where is the money, and what does the way cost?
#
# Collateral starts on a user's chain and is needed at an exchange. Hops lead there: wallets, an exchange's deposit
# address, a bridge between chains. Each takes time and keeps a fee; each may be busy, slow or silent. This notebook
# follows the money of a short day, and counts it.

# %%
from pathlib import Path

import sim

scenario = Path(sim.__file__).parents[1] / "scenarios" / "index_day.toml"
short = ["run.duration=2m", "run.drain=4m", "desk.order_expiry=2m"]
day = sim.run(scenario, overrides=short)

# %%
day.plot.collateral_flow()

# %% [markdown]
# ## Every cent
#
# The table `collateral` is a ledger: added up by what money is held as, it says where everything is, and the sum is
# what was deposited.

# %%
import pandas as pd

moves = day.collateral
gained = moves.groupby("state")["amount"].sum().sub(moves.groupby("was")["amount"].sum(), fill_value=0)
deposited = moves.loc[moves["was"].isna(), "amount"].sum()
pd.DataFrame({"held now": gained.round(6)}), round(deposited, 6), round(gained.sum(), 6)

# %% [markdown]
# ## What each hop costs and how long it takes
#
# A leg is one attempt at one hop. The fee is what the hop kept; the time is from `sent` to `moved`.

# %%
hops = day.hops
sent = hops[hops["what"] == "sent"].drop_duplicates(["transfer_id", "leg"]).set_index(["transfer_id", "leg"])
moved = hops[hops["what"] == "moved"].set_index(["transfer_id", "leg"])
legs = moved.join(sent["time"].rename("sent_time"))
legs["seconds"] = (legs["time"] - legs["sent_time"]).dt.total_seconds()
legs["fee_bps"] = 10_000 * legs["fee"] / legs["amount"]
legs.groupby("hop").agg(
    legs=("amount", "size"),
    amount=("amount", "sum"),
    fee=("fee", "sum"),
    bps=("fee_bps", "mean"),
    median_s=("seconds", "median"),
    longest_s=("seconds", "max"),
)

# %% [markdown]
# ## What went wrong on the way
#
# A hop that is unavailable is tried again after a pause; one that does not answer is asked what became of the money,
# and never sent it twice.

# %%
hops[~hops["what"].isin(["sent", "moved"])].groupby(["hop", "what"]).size().rename("times").to_frame()

# %% [markdown]
# ## Ask the next question
#
# What if the wallet is down half of the time? The same day, the same draws; orders wait longer for their collateral.

# %%
worse = sim.run(scenario, overrides=[*short, "hop.base_wallet.faults.unavailable_per_mille=500"])


def wait_s(run):
    """From acceptance until the order could be engaged."""
    return (run.index_orders["ready_time"] - run.index_orders["created_time"]).dt.total_seconds().describe()


pd.DataFrame({"as it was": wait_s(day), "wallet half down": wait_s(worse)})
