"""What the fields mean that tell of templates."""

_WHY = "Why, for the audit."
_SOURCE = "The template as it is written."

FIELDS: dict[str, str] = {
    "ShopTemplate.locale": "The language of the template.",
    "ShopTemplate.scenario": "What it is for.",
    "ShopTemplate.template": "What the audit calls what is in force; `…@shop.2` is the shop's version 2.",
    "ShopTemplate.version": "The shop's version that is in force; 0 is the product's own.",
    "ShopTemplate.draft": "When, by whom and why the draft was written; null without one.",
    "TemplateSource.template": "What the audit calls it; null of a draft.",
    "TemplateSource.version": "The shop's version, 0 being the product's own; null of a draft.",
    "TemplateSource.source": _SOURCE,
    "CheckedTemplate.valid": "Whether it could be published.",
    "CheckedTemplate.errors": "Everything that is wrong, with its line where it has one.",
    "PublishedTemplate.template": "What is in force now, as the audit calls it.",
    "PublishedTemplate.version": "The shop's version that is in force now; 0 is the product's own.",
    "characters_typical": "Characters of an ordinary order's message.",
    "characters_worst": "Characters of the longest message of the built-in orders.",
    "segments_typical": "Segments of an ordinary order's text message, as mainland networks bill it.",
    "segments_worst": "Segments of the longest text message of the built-in orders.",
    "seconds_typical": "Seconds to read out an ordinary order's call script.",
    "seconds_worst": "Seconds to read out the longest call script of the built-in orders.",
    "advised": "Words in its messages that are better not said on the shop's platform.",
    "put_draft.source": _SOURCE,
    "put_draft.note": _WHY,
    "check_template.source": _SOURCE,
    "publish_template.note": _WHY,
    "roll_back_template.version": "The version to put into force again; 0 is the product's own.",
    "roll_back_template.note": _WHY,
}
"""As `meanings.FIELDS`."""
