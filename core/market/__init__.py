"""The words every part of the market shares: tokens, pairs, orders, and the double-entry ledger."""
