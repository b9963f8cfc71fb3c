"""LAW: fetch facts, ask policy, act, record. No business `if`. Sees the outside as Protocols."""
