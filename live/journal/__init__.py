"""A node's journal on disk: segments, their lock, snapshots, recovery, repair."""
