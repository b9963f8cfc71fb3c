"""LAW: Redis only; state changes only through lua/*.lua. keys.py is the only place that spells a key."""
