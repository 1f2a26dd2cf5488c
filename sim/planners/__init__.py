"""The planners of an index desk compared: on the same planning problems, and as whole runs of the same scenario."""
