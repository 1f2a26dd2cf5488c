"""The deterministic engine: records, components, agenda, kernel, journal, replay, named randomness."""
