"""LAW: a message goes out, an outcome comes back; nothing is decided here."""
