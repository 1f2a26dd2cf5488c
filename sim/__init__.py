"""Core on a SimPy virtual clock: scenarios, results, replay."""
