"""Orders at an exchange: sent once, followed through lost answers and lost sessions, and ended once."""
