"""From a decoded policy document to a `Policy`, or to all that is wrong with it at once."""

from dispatcher.errors import FieldProblem, InvalidPolicy
from dispatcher.policy import document_values as values
from dispatcher.policy.document_table import Table
from dispatcher.policy.incentive_reader import read_incentives
from dispatcher.policy.terms import (
    DEFAULT_LOCALE,
    BeforeClose,
    CadenceRow,
    Caps,
    Days,
    Links,
    Merge,
    Pace,
    PerChannel,
    Phone,
    Policy,
    QuietHours,
    Remind,
    Routing,
    Segments,
    Shipping,
    Spread,
    Suppression,
)
from dispatcher.policy.units import parse_clock, parse_duration, parse_end

_FORMS = frozenset({("after",), ("after", "before"), ("at",), ("next_day_at",)})


def read_policy(document: object) -> Policy:
    """The policy of a decoded document; raises `InvalidPolicy` naming each wrong field."""
    problems: list[FieldProblem] = []
    root = Table(document, "", problems)
    policy = policy_in(root)
    root.close()
    if problems:
        fields = "1 wrong field" if len(problems) == 1 else f"{len(problems)} wrong fields"
        raise InvalidPolicy(f"the policy has {fields}", tuple(problems))
    return policy


def policy_in(root: Table) -> Policy:
    """The policy in a table, which is asked for all that a policy may hold."""
    timezone = root.take("timezone", values.zone_name, required=True)
    platform = root.take("platform", values.platform, required=True)
    routing = _routing(root.table("routing", required=True))
    return Policy(
        timezone=timezone or "",
        platform=platform or "own",
        locale=root.take("locale", values.locale) or DEFAULT_LOCALE,
        shop_name=root.take("shop_name", values.name),
        currency=root.take("currency", values.currency),
        pay_within=root.take("pay_within", values.some_time),
        max_late=root.take("max_late", parse_duration),
        holidays=root.take("holidays", values.holidays),
        quiet_hours=root.section("quiet_hours", _quiet_hours),
        days=root.section("days", _days),
        spread=root.section("spread", _spread),
        shipping=root.section("shipping", _shipping),
        cadence=tuple(_cadence_row(row) for row in root.tables("cadence")),
        before_close=root.section("before_close", _before_close),
        caps=root.section("caps", _caps),
        merge=root.section("merge", _merge),
        suppression=root.section("suppression", _suppression),
        routing=routing,
        phone=root.section("phone", _phone),
        pace=root.section("pace", _pace),
        incentives=read_incentives(root, timezone, platform, routing),
        links=root.section("links", _links),
    )


def _quiet_hours(table: Table) -> QuietHours | None:
    start = table.take("start", parse_clock)
    end = table.take("end", parse_end)
    max_held = table.take("max_held", parse_duration)
    # Half a window would silently mean no night at all, which nobody writes on purpose.
    for given, absent in (("start", "end"), ("end", "start")):
        if table.has(given) and not table.has(absent):
            table.refuse(absent, f'expected a time "HH:MM", since {given} is given')
    if start is None or end is None:
        return None
    return QuietHours(start=start, end=end, max_held=max_held)


def _days(table: Table) -> Days:
    return Days(
        reminders=table.take("reminders", values.open_days), calls=table.take("calls", values.open_days)
    )


def _spread(table: Table) -> Spread | None:
    over = table.take("over", parse_duration)
    return None if over is None else Spread(over=over)


def _shipping(table: Table) -> Shipping | None:
    cutoff = table.take("cutoff", parse_end)
    return None if cutoff is None else Shipping(cutoff=cutoff)


def _cadence_row(table: Table) -> CadenceRow:
    placed = table.take("placed", values.window, required=True)
    remind = table.table("remind", required=True)
    table.close()
    return CadenceRow(placed=placed or (0, 0), remind=Remind() if remind is None else _remind(remind))


def _remind(table: Table) -> Remind:
    remind = Remind(
        after=table.take("after", parse_duration),
        before=table.take("before", parse_end),
        at=table.take("at", parse_clock),
        next_day_at=table.take("next_day_at", parse_clock),
    )
    table.close()
    if tuple(key for key in Remind.__struct_fields__ if table.has(key)) not in _FORMS:
        table.refuse("", "expected one of {after}, {after, before}, {at} or {next_day_at}")
    return remind


def _before_close(table: Table) -> BeforeClose | None:
    lead = table.take("lead", values.some_time)
    earliest_after = table.take("earliest_after", parse_duration)
    return None if lead is None else BeforeClose(lead=lead, earliest_after=earliest_after)


def _caps(table: Table) -> Caps:
    return Caps(
        per_day=table.take("per_day", values.count),
        min_gap=table.take("min_gap", values.gap),
        per_order=table.take("per_order", values.count),
        per=table.take("per", values.one_customer),
        per_channel=table.section("per_channel", _per_channel),
    )


def _per_channel(table: Table) -> PerChannel:
    return PerChannel(
        chat=table.take("chat", values.count),
        sms=table.take("sms", values.count),
        phone=table.take("phone", values.count),
    )


def _merge(table: Table) -> Merge | None:
    within = table.take("within", values.some_time)
    return None if within is None else Merge(within=within)


def _suppression(table: Table) -> Suppression:
    return Suppression(
        min_total=table.take("min_total", values.amount),
        sensitive_channels=table.take("sensitive_channels", values.channels_or_none),
        consent_required=table.take("consent_required", values.channels_or_none),
        quiet_after_reply=table.take("quiet_after_reply", values.gap),
        paid_other_order=table.take("paid_other_order", values.yes_or_no),
    )


def _routing(table: Table | None) -> Routing:
    if table is None:
        return Routing(channels=())
    routing = Routing(
        channels=table.take("channels", values.channels, required=True) or (),
        high_value=table.take("high_value", values.amount),
        repeat_orders=table.take("repeat_orders", values.count),
        vip_grade=table.take("vip_grade", values.grade),
        segments=table.section("segments", _segments),
    )
    table.close()
    return routing


def _segments(table: Table) -> Segments:
    return Segments(
        high_value=table.take("high_value", values.channels),
        vip=table.take("vip", values.channels),
        repeat=table.take("repeat", values.channels),
        first_time=table.take("first_time", values.channels),
    )


def _phone(table: Table) -> Phone:
    return Phone(
        windows=table.take("windows", values.windows),
        overflow_after=table.take("overflow_after", values.some_time),
        max_open=table.take("max_open", values.count),
    )


def _pace(table: Table) -> Pace:
    return Pace(chat=table.take("chat", values.pace), sms=table.take("sms", values.pace))


def _links(table: Table) -> Links | None:
    allowed = table.take("allowed", values.hosts)
    return None if allowed is None else Links(allowed=allowed)
