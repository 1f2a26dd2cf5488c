"""The index desk: users' orders for baskets, planned into batches, filled by lots, minted as index tokens."""
