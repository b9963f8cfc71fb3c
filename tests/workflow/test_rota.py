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

    rota.back("demo", found=0, room=64, heard=heard)

    assert not rota.wants_round


def test_a_turn_that_looked_before_the_news_does_not_end_the_search() -> None:
    rota, heard = begun()
    rota.news()

    rota.back("demo", found=0, room=64, heard=heard)

    assert rota.wants_round


def test_nobody_is_asked_again_where_nothing_is_due() -> None:
    rota, heard = begun()
    rota.news()
    rota.back("demo", found=0, room=64, heard=heard)

    rota.begin([])

    assert not rota.wants_round


def test_a_shop_whose_batch_was_full_stands_in_line_again_behind_the_others() -> None:
    rota = Rota()
    rota.begin(["large", "small"])
    rota.take()

    rota.back("large", found=64, room=64, heard=rota.heard)

    assert [rota.take(), rota.take()] == ["small", "large"]
    assert not rota.waiting


def test_a_look_asks_who_is_ready_though_somebody_stands_in_line() -> None:
    rota = Rota()
    rota.begin(["large"])
    assert not rota.wants_round

    rota.look()

    assert rota.wants_round
    rota.begin(["large", "small"])
    assert [rota.take(), rota.take()] == ["large", "small"]
    assert not rota.waiting
