"""Whose turn it is, and when there is nobody left to ask."""

from dispatcher.workflow.rota import Rota


def begun() -> tuple[Rota, int]:
    """A rota with the turn of its only shop under way, and what was heard when that began."""
    rota = Rota()
    rota.begin(["demo"])
    rota.take()
    return rota, rota.heard


def test_a_round_without_a_find_is_the_last_one() -> None:
    rota, heard = begun()

    rota.back(found=False, heard=heard)

    assert not rota.wants_round


def test_a_turn_that_looked_before_the_news_does_not_end_the_search() -> None:
    rota, heard = begun()
    rota.news()

    rota.back(found=False, heard=heard)

    assert rota.wants_round


def test_nobody_is_asked_again_where_nothing_is_due() -> None:
    rota, heard = begun()
    rota.news()
    rota.back(found=False, heard=heard)

    rota.begin([])

    assert not rota.wants_round
