"""Scenario files: what a researcher writes, checked and resolved before anything runs."""
