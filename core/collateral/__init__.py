"""Collateral: deposits, whose they are and where, the routes they travel, and the way back to their owners."""
