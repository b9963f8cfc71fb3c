"""Made-up shops and orders in which whatever may be missing is missing now and then, or odd."""

from collections.abc import Iterator, Sequence
from itertools import product
from random import Random
from typing import Any, NamedTuple

from dispatcher.errors import InvalidEvent
from dispatcher.policy.document import Policy, load_toml
from dispatcher.policy.events import Event
from dispatcher.policy.zones import iso
from tests.worlds import HOUR, MINUTE, NOON, told

NOTHING = ("", " ", "\u3000", "\t", "\u200b", "\u2060\u200d", "\ufeff", "\u3164", "\u2800", "\ufe0f")
"""Blank, or looks so."""
SIGNS = ("，", "。。", "-", "【】", "（ ）", " 、 ", "...", "“”")
WORDS_FOR_NOTHING = ("null", "None", "undefined", "N/A", "无", "NaN")
REFUSED = "\x07"
"""A control character, which makes an event one that is not taken."""

ODD = (*NOTHING, *SIGNS, *WORDS_FOR_NOTHING)
ENDINGS = ("", "", "", "", "，", "。", ".", ":", "!", "；", " ", "\u3164", "？", ",,")
BEGINNINGS = ("", "", "", "", "", "，", "- ", ": ", "、", "\u200b")
UNSEEN_SHOP = "\u3164"
"""The id of a shop that has no name either."""

NAMES = ("王女士", "李先生", "Ms Wang", "🌸", "阿依古丽·买买提", "欧阳" * 20, "电13800138000")
PRODUCTS = (
    "夏季连衣裙 碎花", "【新款】棉袜", "Linen dress", "T恤", "羊绒大衣" * 20, "待产包",
    "1/2 zip sweater, blue", "【淘宝同款】羊毛围巾", "加微信返现 袜子",
)  # fmt: skip
SPECS = ("M码", "红色;L", "size 40", "加厚款" * 20)
NOTES = ("请放门卫，谢谢", "Please ring the bell", "第一行\n第二行", "明天送？", "尽快" * 100)
CITIES = ("杭州", "Hong Kong", "乌鲁木齐")
AGENTS = ("小林", "Ann", "客服" * 20)
TOTALS = ("99.00", "0.01", "299.5", "19", "0", "99.90", "1200.00")
ZONES = ("Asia/Shanghai", "America/New_York", "Europe/London")

LOCALES = ("zh-CN", "en")
PLATFORMS = ("own", "jd", "taobao", "pdd", "douyin")
ROUTES = (
    ("chat", "sms"),
    ("sms", "chat"),
    ("phone", "sms"),
    ("phone", "chat"),
    ("chat", "phone"),
    ("sms", "phone"),
)
COUPON = 'kind = "coupon"\namount = "20.00"\nvalid_for = "7d"\n'
OFFERS = (
    "",
    COUPON + 'use = "next_order"\nthreshold = "199.00"\nname = "店铺券"\nhow = "下单时勾选。"\n',
    COUPON + 'use = "new_order"\nstacks = true\nhow = "Claim it on our page."\n',
    COUPON + 'use = "this_order"\nhow = "付款时勾选"\nname = "Coupon:"\n',
    'kind = "price_change"\nuse = "this_order"\namount = "5.50"\napproved = true\nstacks = true\n',
    'kind = "gift"\nuse = "this_order"\nname = "茶样2袋。"\n',
    'kind = "gift"\nuse = "new_order"\nname = "Tea, two bags."\nvalid_for = "7d"\n',
    'kind = "gift"\nuse = "next_order"\nname = "茶样2袋"\nvalid_for = "7d"\n',
    'kind = "gift"\nuse = "this_order"\nname = "Tea."\n',
    'kind = "free_shipping"\nuse = "this_order"\namount = "10"\n',
    'kind = "free_shipping"\nuse = "this_order"\n',
    'kind = "free_shipping"\nuse = "new_order"\nvalid_for = "7d"\n',
    'kind = "free_shipping"\nuse = "next_order"\nthreshold = "99"\nvalid_for = "7d"\n',
    'kind = "priority_shipping"\nuse = "this_order"\n',
    'kind = "price_protection"\nuse = "this_order"\nvalid_for = "30d"\n',
)
"""Each kind of incentive, for each use it may have."""


class Shop(NamedTuple):
    """A made-up shop; `locale` is the language of its messages."""

    id: str
    locale: str
    policy: Policy


class Told(NamedTuple):
    """An event of an order, `None` where it is refused, and the fields that it has no value for."""

    shop: Shop
    order: str
    at: int
    event: Event | None
    lacks: frozenset[str]


def shops(random: Random) -> list[Shop]:
    """One for each language and incentive; how they reach customers, and where they sell, is drawn."""
    made = []
    for number, (locale, offer) in enumerate(product(LOCALES, OFFERS)):
        # The platform has no coupon for the unpaid order.
        platform = random.choice([name for name in PLATFORMS if name != "jd" or "coupon" not in offer])
        shop = UNSEEN_SHOP if number == 0 else f"shop-{number}"
        made.append(Shop(shop, locale, _policy(random, locale, platform, offer, named=shop != UNSEEN_SHOP)))
    return made


def _policy(random: Random, locale: str, platform: str, offer: str, *, named: bool) -> Policy:
    route = str(list(random.choice(ROUTES)))
    names = ("云裳服饰", "Cloud Dresses", "小店。", "Inc.")
    sections = [
        'timezone = "Asia/Shanghai"\ncurrency = "CNY"\npay_within = "7h"',
        f'platform = "{platform}"\nlocale = "{locale}"',
        f'shop_name = "{random.choice(names)}"' if named and random.random() < 0.8 else "",
        '[[cadence]]\nplaced = ["00:00", "24:00"]\nremind = {after = "10m"}',
        '[before_close]\nlead = "20m"\nearliest_after = "10m"\n[shipping]\ncutoff = "17:00"',
        f'[routing]\nchannels = {route}\nhigh_value = "500.00"\nrepeat_orders = 3\nvip_grade = 4',
        "[routing.segments]",
        *(f"{segment} = {route}" for segment in ("high_value", "vip", "repeat", "first_time")),
        '[merge]\nwithin = "30m"' if random.random() < 0.6 else "",
        f'[[incentives]]\nid = "one"\nquantity = 1000000\n{offer}' if offer else "",
    ]
    return load_toml("\n".join(sections))


def orders(random: Random, number: int, among: Sequence[Shop]) -> Iterator[Told]:
    """Unpaid orders of these shops, in the order of their times."""
    placed = sorted(random.randrange(12) * 10 * MINUTE for _ in range(number))
    for place, after in enumerate(placed):
        yield _order(random, random.choice(among), place, NOON + after)


def _order(random: Random, shop: Shop, place: int, at: int) -> Told:
    # An order is named by its number, or by nothing that can be seen.
    seen = random.random() > 0.01
    order_id = f"O-{place}" if seen else "\u3164" * (place % 40 + 1)
    order = _full_order(random, order_id, at)
    customer = _full_customer(random, place)
    for part in (order, customer, *order["items"], order["receiver"], order["promotion"]):
        if part is not None:
            _spoil(random, part)
    lacks = set() if seen else {"order.id"}
    if order.get("pay_url") is None:
        lacks.add("order.pay_url")
    if shop.id == UNSEEN_SHOP:
        lacks.add("shop")
    data = {"order": order, "customer": customer}
    try:
        event = told("order.unpaid", f"e-{place}", at, data, shop.id)
    except InvalidEvent:
        event = None
    return Told(shop, order_id, at, event, frozenset(lacks))


def _full_order(random: Random, order_id: str, at: int) -> dict[str, Any]:
    flash = random.random() < 0.15
    return {
        "id": order_id,
        "placed_at": iso(at),
        "closes_at": iso(at + (50 * MINUTE if flash else 6 * HOUR)),
        "total": random.choice(TOTALS),
        "currency": "CNY",
        "pay_url": f"https://pay.example/{random.randrange(10**6)}",
        "items": [_full_item(random) for _ in range(random.choice((1, 1, 2, 3)))],
        "buyer_note": random.choice(NOTES),
        "receiver": {"name": random.choice(NAMES), "city": random.choice(CITIES), "phone": "+8613800000001"},
        "original_total": "1300.00",
        "promotion": {"name": "Sale", "saves": "10.00", "ends_at": iso(at + HOUR)},
    }


def _full_item(random: Random) -> dict[str, Any]:
    return {
        "name": random.choice(PRODUCTS),
        "quantity": random.choice((1, 1, 2, 1_000_000)),
        "price": "99.00",
        "spec": random.choice(SPECS),
        "sensitive": random.random() < 0.15,
        "availability": random.choice(("in_stock", "in_stock", "in_stock", "in_transit", "preorder")),
        "category": "衣",
    }


def _full_customer(random: Random, place: int) -> dict[str, Any]:
    return {
        # Some customers of a shop have several orders.
        "id": f"C-{random.randrange(4)}" if random.random() < 0.4 else f"C-{place + 4}",
        "name": random.choice(NAMES),
        "phone": "+8613800000000",
        "chat": "example_1",
        "paid_orders": random.choice((0, 0, 1, 3)),
        "timezone": random.choice(ZONES),
        "grade": random.choice((0, 1, 2, 3, 3, 2, 1, 4)),
        "consent": {"sms": True, "chat": True, "phone": True, "promotion": True},
        "consulted_at": iso(NOON - HOUR),
        "agent": random.choice(AGENTS),
    }


REQUIRED = ("id", "placed_at", "total", "items")
TEXTS = ("name", "spec", "buyer_note", "city", "agent", "category")


def _spoil(random: Random, part: dict[str, Any]) -> None:
    """Leave out, empty or bend some of what an object may do without."""
    # The name of an item or a promotion must be there, though it may say nothing.
    required = REQUIRED + (("name",) if "price" in part or "saves" in part else ())
    for name in list(part):
        drawn = random.random()
        if name in TEXTS and drawn < 0.3:
            part[name] = random.choice(BEGINNINGS) + part[name] + random.choice(ENDINGS)
        elif name in TEXTS and drawn < 0.45:
            part[name] = random.choice(ODD)
            if name in required and part[name].isspace() | (not part[name]):
                part[name] = "，"
        elif name in TEXTS and drawn < 0.452:
            part[name] = REFUSED
        elif name not in required and drawn > 0.92:
            part[name] = None
        elif name not in required and drawn > 0.84:
            del part[name]
