"""Core on a wall clock with real sockets."""
