"""What the market does: pure components and pure rules. No I/O, no clock, no randomness of its own."""
