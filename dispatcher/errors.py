"""What can go wrong: one class per thing a caller can act on, each with a stable `code`."""


class DispatcherError(Exception):
    """Base of every error this package raises on purpose."""

    code = "internal"


class FieldProblem(Exception):
    """One wrong field: `pointer` is an RFC 6901 pointer (`/data/order/total`), `detail` what was expected."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}" if pointer else detail)
        self.pointer = pointer
        self.detail = detail


class InvalidInput(DispatcherError):
    """Input that is refused as a whole; `problems` names each wrong field."""

    code = "invalid-input"

    def __init__(self, message: str, problems: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class AddressTaken(InvalidInput):
    """An address that cannot be listened at, as when another program has it."""

    code = "address-taken"


class InvalidPolicy(InvalidInput):
    """A policy document that is not right."""

    code = "invalid-policy"


class InvalidEvent(InvalidInput):
    """An event that is not right; `event_id` is its id where that could be read."""

    code = "invalid-event"

    def __init__(
        self, message: str, problems: tuple[FieldProblem, ...] = (), *, event_id: str | None = None
    ) -> None:
        super().__init__(message, problems)
        self.event_id = event_id


class MissingField(DispatcherError):
    """A message needs a value that the order does not have; `field` names it as in `customer.name`."""

    code = "missing-field"

    def __init__(self, field: str) -> None:
        super().__init__(f"the message needs {field}, which is missing")
        self.field = field


class InvalidTemplate(InvalidInput):
    """Message templates or their catalog are not right; what was expected is in the text or `problems`."""

    code = "invalid-template"


class MessageTooLong(DispatcherError):
    """A rendered message is longer than its channel takes; it must not be sent cut off.

    Without the value of `field` it would fit, where that is one.
    """

    code = "message-too-long"

    def __init__(self, template: str, channel: str, characters: int, limit: int, field: str | None) -> None:
        super().__init__(f"{template}: expected at most {limit} characters, got {characters}")
        self.channel = channel
        self.characters = characters
        self.limit = limit
        self.field = field


class ForbiddenWording(DispatcherError):
    """A message says what its platform forbids; `words` are those of the rules, each of one of `kinds`.

    `hosts` are where links lead that may not.
    """

    code = "forbidden-wording"

    def __init__(self, words: tuple[str, ...], kinds: tuple[str, ...], hosts: tuple[str, ...] = ()) -> None:
        where = f" to {', '.join(hosts)}, which links.allowed does not name" if hosts else ""
        super().__init__(f"the message says what its platform forbids: {', '.join(words)}{where}")
        self.words = words
        self.kinds = kinds
        self.hosts = hosts


class StoreRefused(DispatcherError):
    """The store refused a call as a whole and changed nothing: stored data or arguments are not right."""

    code = "store-refused"


class StoreUnavailable(DispatcherError):
    """The store is away or full: nothing is known of the call's effect, and repeating it is safe."""

    code = "store-unavailable"


class StoreFull(StoreUnavailable):
    """The store has no memory left for what is new; what ends a reminder is still taken."""

    code = "store-full"


class EventIdReused(DispatcherError):
    """An event's id was used before with other content."""

    code = "event-id-reused"


class CustomerDiffers(DispatcherError):
    """An amendment names another customer than the order has; an order never changes hands."""

    code = "customer-differs"


class UnknownOrder(DispatcherError):
    """An order, or its reminder, that the store does not have."""

    code = "unknown-order"


class UnknownPolicy(DispatcherError):
    """A version that a shop's policy does not have."""

    code = "unknown-policy"


class UnknownTemplate(DispatcherError):
    """A template, draft or version that neither the catalog nor the shop has."""

    code = "unknown-template"


class UnknownIncentive(DispatcherError):
    """A pool that the policy in force does not have."""

    code = "unknown-incentive"


class ReferenceReused(DispatcherError):
    """A top-up's reference was given before with another quantity."""

    code = "reference-reused"


class TaskNotOpen(DispatcherError):
    """A task that is not in the state the request needs: taken by another, overflowed, ended."""

    code = "task-not-open"


class NotNow(DispatcherError):
    """A hand-off that the policy does not allow at this moment; `reason` is the blocking rule's.

    `blocking` names the rules that stand against it, `next_eligible` (ms, UTC) when it may go as far as is
    known, `None` where that is never or nobody knows.
    """

    code = "not-now"

    def __init__(self, reason: str, blocking: tuple[str, ...] = (), next_eligible: int | None = None) -> None:
        super().__init__(f"the policy does not allow this hand-off now: {reason}")
        self.reason = reason
        self.blocking = blocking
        self.next_eligible = next_eligible


class TooManyBlocked(DispatcherError):
    """A shop blocks as many addresses as it may."""

    code = "too-many-blocked"


class NotWaiting(DispatcherError):
    """A reminder that does not wait for its time any more, or is a task that waits for people."""

    code = "not-waiting"


class WrongMoment(InvalidInput):
    """A time that a reminder cannot be moved to."""

    code = "wrong-moment"


class Contended(DispatcherError):
    """What a request stood on kept changing while it was taken; repeating it is safe."""

    code = "contended"


class Unauthenticated(DispatcherError):
    """A request without a key that is known here."""

    code = "unauthenticated"


class Forbidden(DispatcherError):
    """A key that does not open what was asked for."""

    code = "forbidden"


class TooLarge(DispatcherError):
    """A request larger than its limit, which the text names."""

    code = "too-large"


class UnsupportedMediaType(DispatcherError):
    """A body of a kind that is not read here; the text names those that are."""

    code = "unsupported-media-type"


class Overloaded(DispatcherError):
    """More waits already than may; nothing was done, and repeating it later is safe."""

    code = "overloaded"
