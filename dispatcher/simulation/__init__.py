"""LAW: the real wiring and scripts under a virtual clock. Order files in, a report out."""
