"""LAW: decision and facts in, text out. Catalog, rendering, wording rules, SMS segments."""
