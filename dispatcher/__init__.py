"""Reminds customers of orders they placed but have not paid."""
