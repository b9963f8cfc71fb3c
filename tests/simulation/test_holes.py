"""No message has an empty slot, whatever an order lacks; and what cannot be said is not sent."""

from collections import Counter
from pathlib import Path

import pytest

from dispatcher.messages.catalog import KINDS, WORDS, Catalog
from dispatcher.policy.terms import Locale
from dispatcher.storage.client import StoreClient
from tests.messages import goldens
from tests.simulation.cutting import cuts
from tests.simulation.empty_slots import empty_slots
from tests.simulation.holes import Figures, look

ORDERS = 700


async def test_odd_orders_leave_no_hole_and_what_is_not_sent_is_explained_by_its_field(
    redis: StoreClient, tmp_path: Path
) -> None:
    figures = Figures()

    await look(redis, tmp_path, ORDERS, seed=1, figures=figures)

    told = {template.partition("@")[0].rpartition("/")[0] for template in figures.messages}
    assert told == {*KINDS, *(f"en/{kind}" for kind in KINDS)}
    assert figures.holes == []
    assert figures.missing.keys() == {"order.pay_url", "order.id", "shop"}
    assert figures.unexplained == []
    assert figures.refused > 0


@pytest.mark.parametrize("language", WORDS)
def test_golden_texts_have_no_hole(language: Locale) -> None:
    texts = [text for table in goldens.read(language).values() for text in table["texts"].values()]

    found = [slot for text in texts for slot in empty_slots(text, language)]

    assert len(texts) > 200
    assert found == []


UNSEEN = {("zh-CN", "incentive"), ("zh-CN", "agent")}
"""A sentence without which the rest is whole too, and a name that an agent may leave out."""


def test_a_value_cut_from_any_place_of_any_template_is_seen() -> None:
    seen = Counter[bool]()
    unseen = set()
    whole = set()

    for cut in cuts(Catalog.load()):
        found = empty_slots(cut.text, cut.language)
        seen[bool(found)] += 1
        if cut.whole:
            whole.add((cut.language, cut.field))
        elif not found:
            unseen.add((cut.language, cut.field))

    # A Chinese greeting and an introduction are the same with a name as for who has none.
    assert whole == {("zh-CN", "customer"), ("zh-CN", "agent"), ("zh-CN", "incentive")}
    assert unseen == UNSEEN
    assert seen[True] / seen.total() > 0.94


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh-CN", "【】您好，您今日10:12拍的连衣裙待付款"),
        ("zh-CN", "，您好，您今天10:12拍下的连衣裙还没有付款"),
        ("zh-CN", "None您好，您今天10:12拍下的连衣裙还没有付款"),
        ("zh-CN", "您好，您今天10:12拍下的连衣裙（，订单尾号0001）还没有付款"),
        ("zh-CN", "您好，您今天10:12拍下的还没有付款"),
        ("zh-CN", "您好，您今天10:12拍下的连衣裙（订单尾号）还没有付款"),
        ("zh-CN", "您好，您今天10:12拍下的连衣裙还没有付款，合计元"),
        ("zh-CN", "您好，前付款，当天就能发出。"),
        ("zh-CN", "从这里付款就可以："),
        ("zh-CN", "规格：\n送到：杭州"),
        ("zh-CN", "您好，ㅤ"),
        ("en", "Hi , your order ending in 0001, placed at 10:12 today, is not paid yet."),
        ("en", "Your order  of today is not paid yet."),
        ("en", "You can pay here: {{ pay_url }}"),
        ("en", "Paid before 17:00 it ships the same day.¶Pay here: https://pay.example/1"),
    ],
)
def test_a_hole_is_seen(language: str, text: str) -> None:
    assert empty_slots(text, language) != []
