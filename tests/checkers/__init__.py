"""LAW: checkers stand apart from what they check.

Nothing here imports the product; all are functions of audit records in their outside form, or of raw keys.
"""
