"""Drawings, each a function from a run's result to the Axes of a new figure."""
