"""What every part of the market shares: tokens, pairs, orders, the double-entry ledger, and the exchange outside."""
