"""The solver auction: solicit bids, select winners by a rule, hold what they owe until it is paid."""
