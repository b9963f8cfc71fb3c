"""LAW: data in, decision out. No IO, clock, chance or logging."""
