"""One table says how each error is answered."""

from collections.abc import Iterator

import pytest

from dispatcher.errors import (
    AddressTaken,
    Contended,
    DispatcherError,
    Overloaded,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from dispatcher.web.problems import KINDS, problem_of, refused

NOT_OVER_HTTP = {AddressTaken}
"""What only a command can run into."""


def errors(kind: type[DispatcherError] = DispatcherError) -> Iterator[type[DispatcherError]]:
    """Every class of error."""
    yield kind
    for one in kind.__subclasses__():
        yield from errors(one)


def test_every_error_has_its_answer() -> None:
    codes = {kind.code for kind in errors() if kind not in NOT_OVER_HTTP}

    assert len(codes) > 15
    assert codes <= set(KINDS)


def test_only_an_absent_or_full_store_and_our_own_bugs_are_5xx() -> None:
    found = {code: kind.status for code, kind in KINDS.items() if kind.status >= 500}

    assert found == {"internal": 500, "store-full": 503, "store-unavailable": 503}


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (Overloaded("too many events wait already"), 429, b"1"),
        (StoreUnavailable("away"), 503, b"1"),
        (StoreFull("full"), 503, b"1"),
        (Contended("it kept changing"), 409, None),
    ],
)
def test_whoever_comes_too_soon_is_told_when_to_come_again(
    error: DispatcherError, status: int, retry_after: bytes | None
) -> None:
    told = refused(problem_of(error))

    assert (told.status, dict(told.headers).get(b"retry-after")) == (status, retry_after)


def test_what_the_store_says_of_stored_data_is_for_nobody() -> None:
    problem = problem_of(StoreRefused("d1:{00}:order:demo~O-1: not an order"))

    assert problem.status == 409
    assert "O-1" not in problem.detail + problem.title
