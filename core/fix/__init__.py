"""FIX 4.2: codec (bytes and messages), session (a pure state machine), engine (many sessions, one component)."""
