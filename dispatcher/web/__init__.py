"""LAW: decode, call a workflow, encode. API, access."""
