"""How solvers bid and whether they pay: one pure strategy a file, and a registry of them."""
