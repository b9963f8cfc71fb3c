"""What a text message costs."""

SINGLE_CHARACTERS = 70
PART_CHARACTERS = 67


def segments(text: str) -> int:
    """Billed segments of a text to a mainland number, its 【signature】 included.

    Every character counts 1: up to 70 are one segment, beyond that a segment holds 67 (mainland billing).
    """
    length = len(text)
    if length <= SINGLE_CHARACTERS:
        return min(length, 1)
    return -(-length // PART_CHARACTERS)
