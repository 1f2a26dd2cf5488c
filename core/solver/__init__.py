"""Solvers: their protocol with the venue, the problem they solve, and the strategies that solve it."""
