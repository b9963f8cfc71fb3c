"""How long everything may take to end once it is told to; whoever waits for it gives it a little more."""

WORKER_SECONDS = 10.0
"""A worker ends within so long, however slow its channels and the store are."""
ARQ_SECONDS = 0.5
"""What is left of a turn may take so long of that, and arq's last word to the store as much again."""
CLOSING_SECONDS = 0.5
"""What is left of it to close connections and files."""
COMMITTED_SECONDS = WORKER_SECONDS - 2 * ARQ_SECONDS - CLOSING_SECONDS
"""The rest is for what was committed to finish; calls without an answer by then are cut short."""

API_SECONDS = 6.0
"""The API ends within so long: its server lets requests under way finish first, but not for all of it."""

SPARE_SECONDS = 2.0
"""A process that has not ended so long after that never will: it is killed."""
