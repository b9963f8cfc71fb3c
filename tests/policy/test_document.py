"""The policy document: what it means, and every way it can be wrong."""

import copy
import json
import tomllib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.errors import InvalidPolicy
from dispatcher.policy.document import DEFAULT_TOML, default_policy, load_json, load_toml, to_json, warnings
from dispatcher.policy.terms import CadenceRow, Days, Policy, QuietHours, Remind
from dispatcher.policy.units import MAX_DURATION, format_duration, parse_duration
from tests.policy.examples import DAY, HOUR, MINUTE, policy

DOCUMENT: dict[str, Any] = tomllib.loads(DEFAULT_TOML)
LEAST = {
    "timezone": "Asia/Shanghai",
    "platform": "own",
    "cadence": [{"placed": ["00:00", "24:00"], "remind": {"after": "15m"}}],
    "routing": {"channels": ["sms"]},
}


def problems(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidPolicy) as refused:
        load_json(document)
    return {problem.pointer: problem.detail for problem in refused.value.problems}


def changed(pointer: str, value: object) -> dict[str, Any]:
    document: Any = copy.deepcopy(DOCUMENT)
    *path, key = pointer.strip("/").split("/")
    table = document
    for part in path:
        table = table[int(part)] if isinstance(table, list) else table.setdefault(part, {})
    table[key] = value
    return dict(document)


def test_the_default_policy_is_the_documented_one() -> None:
    found = default_policy()

    assert found.timezone == "Asia/Shanghai"
    assert found.platform == "jd"
    assert found.currency == "CNY"
    assert found.pay_within == 24 * HOUR
    assert found.max_late == 2 * HOUR
    assert found.quiet_hours == QuietHours(start=22 * 60, end=9 * 60, max_held=12 * HOUR)
    assert found.spread is not None
    assert found.spread.over == 20 * MINUTE
    assert found.shipping is not None
    assert found.shipping.cutoff == 17 * 60
    assert found.cadence == (
        CadenceRow(placed=(0, 660), remind=Remind(after=2 * HOUR, before=15 * 60)),
        CadenceRow(placed=(660, 900), remind=Remind(after=15 * MINUTE)),
        CadenceRow(placed=(900, 1440), remind=Remind(next_day_at=600)),
    )
    assert found.before_close is not None
    assert (found.before_close.lead, found.before_close.earliest_after) == (2 * HOUR, 3 * HOUR)
    assert found.caps is not None
    assert (found.caps.per_day, found.caps.min_gap) == (2, 3 * HOUR)
    assert found.routing.channels == ("chat", "sms")
    assert found.routing.high_value == Decimal("500.00")
    assert found.routing.repeat_orders == 1
    assert found.phone is not None
    assert found.phone.windows == ((540, 720), (840, 1200))
    assert found.phone.overflow_after == 2 * HOUR


def test_toml_and_json_are_the_same_document() -> None:
    assert to_json(load_toml(DEFAULT_TOML)) == DOCUMENT
    assert load_json(json.dumps(DOCUMENT)) == load_json(json.dumps(DOCUMENT).encode()) == default_policy()


@pytest.mark.parametrize(
    "document",
    [
        LEAST,
        DOCUMENT,
        {**LEAST, "suppression": {"quiet_after_reply": "24h", "paid_other_order": True}},
        {**LEAST, "suppression": {"quiet_after_reply": "0s", "paid_other_order": False}},
        {**LEAST, "locale": "en"},
        {**LEAST, "shop_name": "示例小店", "caps": {"per_day": 0}, "phone": {"overflow_after": "90s"}},
        {
            **LEAST,
            "cadence": [{"placed": ["00:00", "12:30"], "remind": {"at": "13:00"}}],
            "spread": {"over": "0s"},
        },
        {
            **LEAST,
            "caps": {"per_order": 0},
            "suppression": {"min_total": "20.00", "sensitive_channels": [], "consent_required": ["sms"]},
            "routing": {
                "channels": ["sms"],
                "vip_grade": 0,
                "segments": {
                    "high_value": ["phone"],
                    "vip": ["chat"],
                    "repeat": ["sms"],
                    "first_time": ["sms"],
                },
            },
        },
        {**LEAST, "links": {"allowed": ["pay.example", "a-b.shop.example"]}},
        {**LEAST, "links": {"allowed": []}},
        {**LEAST, "suppression": {}, "routing": {"channels": ["sms"], "segments": {}}},
    ],
)
def test_what_is_written_is_read_back_equal(document: dict[str, Any]) -> None:
    found = load_json(document)

    assert load_json(to_json(found)) == found
    assert to_json(found) == document


def test_a_rule_that_is_missing_is_off() -> None:
    found = load_json(LEAST)

    off = set(Policy.__struct_fields__) - LEAST.keys() - {"locale"}
    assert {name: getattr(found, name) for name in off} == dict.fromkeys(off)
    assert found.routing.high_value is None
    assert found.routing.repeat_orders is None
    assert found.routing.vip_grade is None
    assert found.routing.segments is None


@pytest.mark.parametrize(
    ("section", "rule"),
    [
        ("quiet_hours", "quiet_hours"),
        ("spread", "spread"),
        ("shipping", "shipping"),
        ("before_close", "before_close"),
        ("links", "links"),
    ],
)
def test_an_empty_section_is_off(section: str, rule: str) -> None:
    assert getattr(load_json({**LEAST, section: {}}), rule) is None


def test_zero_means_none_allowed_and_absent_means_no_limit() -> None:
    assert policy(caps__per_day=0).caps.per_day == 0  # type: ignore[union-attr]
    assert policy(caps__per_day=None).caps.per_day is None  # type: ignore[union-attr]
    assert policy(caps__per_order=0).caps.per_order == 0  # type: ignore[union-attr]
    assert policy().caps.per_order is None  # type: ignore[union-attr]


def test_texts_are_in_chinese_where_the_policy_does_not_say_otherwise() -> None:
    said = [policy(**given).locale for given in ({}, {"locale": "zh-CN"}, {"locale": "en"})]

    assert said == ["zh-CN", "zh-CN", "en"]


def test_hosts_are_read_in_small_letters() -> None:
    links = policy(links={"allowed": ["Pay.Example"]}).links

    assert links is not None
    assert links.allowed == ("pay.example",)


def test_an_empty_list_of_channels_means_none_and_an_absent_one_all() -> None:
    none = policy(suppression={"sensitive_channels": []}).suppression

    assert none is not None
    assert (none.sensitive_channels, none.consent_required) == ((), None)


@pytest.mark.parametrize(
    ("pointer", "value", "expected"),
    [
        ("/timezone", "Mars/Olympus", "IANA time zone"),
        ("/timezone", "../etc/passwd", "IANA time zone"),
        ("/timezone", 8, "IANA time zone"),
        ("/platform", "ebay", "jd, taobao, pdd, douyin, own"),
        ("/locale", "en-US", "zh-CN, en"),
        ("/locale", "zh_CN", "zh-CN, en"),
        ("/locale", None, "zh-CN, en"),
        ("/currency", "RMB", "ISO 4217"),
        ("/currency", "cny", "ISO 4217"),
        ("/shop_name", "", "name"),
        ("/shop_name", "two\nlines", "name"),
        ("/shop_name", "\u3164", "name"),
        ("/shop_name", "。", "name"),
        ("/pay_within", "0s", "above zero"),
        ("/pay_within", "1 day", "duration"),
        ("/pay_within", 24, "duration"),
        ("/pay_within", "367d", "at most 366d"),
        ("/max_late", "-2h", "duration"),
        ("/max_late", "２h", "duration"),
        ("/max_late", None, "duration"),
        ("/quiet_hours/start", "25:00", 'expected a time "HH:MM", got "25:00"'),
        ("/quiet_hours/start", "24:00", 'expected a time "HH:MM"'),
        ("/quiet_hours/start", "9:00", 'expected a time "HH:MM"'),
        ("/quiet_hours/end", "09:60", 'expected a time "HH:MM"'),
        ("/quiet_hours/end", 900, 'expected a time "HH:MM", got 900'),
        ("/quiet_hours/max_held", "half a day", "duration"),
        ("/quiet_hours", "22:00-09:00", "expected a table"),
        ("/spread/over", True, "duration"),
        ("/shipping/cutoff", "5pm", 'expected a time "HH:MM"'),
        ("/cadence", [], "expected a list of 1 to 100 tables"),
        ("/cadence", {}, "expected a list of 1 to 100 tables"),
        ("/cadence/0/placed", ["11:00", "11:00"], "two times"),
        ("/cadence/0/placed", ["22:00", "09:00"], "two times"),
        ("/cadence/0/placed", ["09:00"], "two times"),
        ("/cadence/2/placed", ["15:00", "24:01"], "time"),
        ("/cadence/0/remind", {}, "expected one of {after}, {after, before}, {at} or {next_day_at}"),
        ("/cadence/0/remind", {"before": "15:00"}, "expected one of"),
        ("/cadence/0/remind", {"after": "2h", "at": "15:00"}, "expected one of"),
        ("/cadence/0/remind/before", "noon", "time"),
        ("/cadence/1/remind/after", "15", "duration"),
        ("/cadence/2/remind/next_day_at", "24:00", "time"),
        ("/before_close/lead", "0h", "above zero"),
        ("/before_close/earliest_after", 3, "duration"),
        ("/caps/per_day", -1, "whole number"),
        ("/caps/per_day", 2.0, "whole number"),
        ("/caps/per_day", True, "whole number"),
        ("/caps/min_gap", "3 hours", "duration"),
        ("/caps/per_order", -1, "whole number"),
        ("/caps/per_order", "2", "whole number"),
        ("/suppression", [], "expected a table"),
        ("/suppression/min_total", 20, 'expected an amount in quotes like "500.00", got 20'),
        ("/suppression/min_total", "-1.00", "amount"),
        ("/suppression/sensitive_channels", "chat", "chat, sms, phone, each once, or an empty one"),
        ("/suppression/sensitive_channels", ["fax"], "chat, sms, phone"),
        ("/suppression/consent_required", ["sms", "sms"], "each once"),
        ("/suppression/consent_required", True, "chat, sms, phone"),
        ("/suppression/minimum", "1.00", "unknown key, expected one of: min_total"),
        ("/routing/channels", [], "chat, sms, phone"),
        ("/routing/channels", ["chat", "fax"], "chat, sms, phone"),
        ("/routing/channels", ["chat", "chat"], "each once"),
        ("/routing/channels", "sms", "chat, sms, phone"),
        ("/routing/high_value", 500.0, 'expected an amount in quotes like "500.00", got 500.0'),
        ("/routing/high_value", "-1", "amount"),
        ("/routing/high_value", "1e3", "amount"),
        ("/routing/repeat_orders", "1", "whole number"),
        ("/routing/vip_grade", 5, "member grade from 0 to 4, got 5"),
        ("/routing/vip_grade", -1, "member grade"),
        ("/routing/vip_grade", True, "member grade"),
        ("/routing/segments", ["vip"], "expected a table"),
        ("/phone/windows", [], "list of 1 to 100 windows"),
        ("/phone/windows", [["09:00", "12:00"], ["11:00", "20:00"]], "do not overlap"),
        ("/phone/windows", [["20:00", "09:00"]], "two times"),
        ("/phone/overflow_after", "0m", "above zero"),
        ("/holidays", {}, 'expected "cn", got {}'),
        ("/holidays", "de", 'expected "cn", got "de"'),
        ("/days", "workdays", "expected a table"),
        ("/vacations", {}, "unknown key"),
        ("/links", ["pay.example"], "expected a table"),
        ("/links/allowed", "pay.example", 'hosts like "pay.example.com"'),
        ("/links/allowed", ["https://pay.example"], "hosts like"),
        ("/links/allowed", ["pay.example/a"], "hosts like"),
        ("/links/allowed", ["*.example"], "hosts like"),
        ("/links/allowed", ["example"], "hosts like"),
        ("/links/allowed", ["a..example"], "hosts like"),
        ("/links/allowed", ["支付.example"], "hosts like"),
        ("/links/allowed", [f"{'a' * 60}." * 5 + "example"], "hosts like"),
        ("/links/allowed", ["pay.example", "Pay.Example"], "each once"),
        ("/links/allowed", [1], "hosts like"),
        ("/links/allowed", [f"h{number}.example" for number in range(101)], "at most 100 hosts"),
        ("/links/hosts", ["pay.example"], "unknown key, expected one of: allowed"),
        ("/caps/per_week", 3, "unknown key, expected one of: per_day, min_gap, per_order"),
        ("/suppression/quiet_after_reply", "8d", "at most 7d"),
        ("/suppression/quiet_after_reply", 24, "duration"),
        ("/suppression/paid_other_order", "yes", "expected true or false"),
        ("/suppression/paid_other_order", 1, "expected true or false"),
        ("/suppression/paid_other_orders", True, "unknown key"),
        ("/cadence/0/remind/within", "2h", "unknown key"),
    ],
)
def test_a_wrong_field_is_named(pointer: str, value: object, expected: str) -> None:
    found = problems(changed(pointer, value))

    assert set(found) == {pointer}
    assert expected in found[pointer]


@pytest.mark.parametrize("key", ["reminders", "calls"])
@pytest.mark.parametrize(
    "value",
    [
        "never",
        "mon",
        [],
        ["mon", "mon"],
        ["mon", "monday"],
        ["Mon"],
        ["every"],
        [1],
        [["mon"]],
        {"mon": True},
        None,
        5,
    ],
)
def test_days_that_are_no_days_are_named(key: str, value: object) -> None:
    found = problems({**LEAST, "days": {key: value, "weekends": "every"}})

    assert set(found) == {f"/days/{key}", "/days/weekends"}
    assert found[f"/days/{key}"].startswith('expected "every", "workdays" or a list of one or more of mon,')


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("every", "every"),
        ("workdays", "workdays"),
        (["sun", "mon"], ("mon", "sun")),
        (["sat", "sun", "mon", "tue", "wed", "thu", "fri"], "every"),
    ],
)
def test_days_are_read_in_the_order_of_the_week_and_written_back(written: object, read: object) -> None:
    found = load_json({**LEAST, "holidays": "cn", "days": {"reminders": written, "calls": written}})

    assert (found.holidays, found.days) == ("cn", Days(reminders=read, calls=read))  # type: ignore[arg-type]
    assert load_json(to_json(found)) == found


@pytest.mark.parametrize(
    ("key", "pointer"),
    [
        ("timezone", "/timezone"),
        ("platform", "/platform"),
        ("cadence", "/cadence"),
        ("routing", "/routing"),
    ],
)
def test_a_required_field_that_is_missing_is_named(key: str, pointer: str) -> None:
    document = {name: value for name, value in LEAST.items() if name != key}

    assert set(problems(document)) == {pointer}


def test_a_missing_channel_list_is_named() -> None:
    assert set(problems({**LEAST, "routing": {}})) == {"/routing/channels"}


@pytest.mark.parametrize("segment", ["high_value", "vip", "repeat", "first_time"])
@pytest.mark.parametrize("value", [[], "sms", ["sms", "sms"], ["fax"], {}])
def test_a_segment_needs_a_channel(segment: str, value: object) -> None:
    routing = {"channels": ["sms"], "segments": {segment: value, "rich": ["sms"]}}

    found = problems({**LEAST, "routing": routing})

    assert set(found) == {f"/routing/segments/{segment}", "/routing/segments/rich"}


@pytest.mark.parametrize(("given", "absent"), [("start", "end"), ("end", "start")])
def test_half_a_night_is_refused(given: str, absent: str) -> None:
    assert set(problems({**LEAST, "quiet_hours": {given: "22:00"}})) == {f"/quiet_hours/{absent}"}


def test_all_wrong_fields_are_named_at_once() -> None:
    document = {"timezone": "?", "cadence": [{"placed": 1, "remind": {"at": "?"}}], "routing": {}, "a/b~": 1}

    found = problems(document)

    assert set(found) == {
        "/timezone",
        "/platform",
        "/cadence/0/placed",
        "/cadence/0/remind/at",
        "/routing/channels",
        "/a~1b~0",
    }


@pytest.mark.parametrize(
    ("sections", "warned"),
    [
        ({}, False),
        ({"holidays": "cn"}, False),
        ({"days": {"reminders": "workdays"}}, False),
        ({"shipping": {"cutoff": "17:00"}}, False),
        ({"holidays": "cn", "days": {"reminders": "every", "calls": ["mon"]}}, False),
        ({"holidays": "cn", "days": {"reminders": "workdays"}}, True),
        ({"holidays": "cn", "days": {"calls": "workdays"}}, True),
        ({"holidays": "cn", "shipping": {"cutoff": "17:00"}}, True),
    ],
)
def test_a_calendar_of_holidays_is_warned_of_where_it_is_used(
    sections: dict[str, object], warned: bool
) -> None:
    told = warnings(load_json({**LEAST, **sections}))

    assert [warning.partition(":")[0] for warning in told].count("holidays") == warned


NIGHT_ONLY = {"start": "22:00", "end": "09:00"}


@pytest.mark.parametrize(
    ("sections", "keys"),
    [
        ({"days": {"reminders": ["mon"]}}, ["days.reminders"]),
        ({"days": {"calls": "workdays"}}, ["days.calls"]),
        ({"days": {"reminders": ["mon"], "calls": ["mon"]}}, ["days.reminders", "days.calls"]),
        ({"days": {"calls": ["mon"]}, "phone": {"overflow_after": "2h"}}, ["days.calls"]),
        ({"days": {"calls": ["mon"]}, "phone": {"windows": [["09:00", "12:00"]]}}, []),
        ({"days": {"reminders": ["mon"], "calls": ["mon"]}, "quiet_hours": NIGHT_ONLY}, []),
        (
            {"days": {"reminders": ["mon"]}, "quiet_hours": {"start": "22:00", "end": "22:00"}},
            ["days.reminders"],
        ),
        ({"days": {"reminders": "every", "calls": "every"}}, []),
        ({}, []),
    ],
)
def test_closed_days_that_end_at_midnight_are_warned_of(sections: dict[str, object], keys: list[str]) -> None:
    told = warnings(load_json({**LEAST, **sections}))

    assert [warning.partition(":")[0] for warning in told] == keys


@pytest.mark.parametrize("text", ["timezone = ", "[caps]\n[caps]", "a = 1\na = 2"])
def test_what_is_not_toml_is_refused(text: str) -> None:
    with pytest.raises(InvalidPolicy, match="not readable as TOML"):
        load_toml(text)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"caps": {}, "caps": {}}'])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidPolicy, match="not readable as JSON"):
        load_json(body)


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"x"'])
def test_a_document_that_is_no_table_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        load_json(body)

    assert refused.value.problems[0].pointer == ""
    assert "expected a table" in refused.value.problems[0].detail


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("90s", 90_000), ("15m", 15 * MINUTE), ("2h", 2 * HOUR), ("3d", 3 * DAY), ("0s", 0)],
)
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds
    assert format_duration(milliseconds) == text


@given(st.integers(0, MAX_DURATION // 1000))
def test_a_duration_is_written_so_that_it_is_read_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds * 1000)) == seconds * 1000
