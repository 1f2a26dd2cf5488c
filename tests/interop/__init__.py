"""Tests against other engines, by `make interop`."""
