"""Who somebody is: BLS keys, the registry of market makers, and the proof that a logon carries."""
