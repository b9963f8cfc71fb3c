"""Finds an empty slot in a message by its words alone: knows Chinese and English, but no templates."""

import re

LINK = re.compile(r"https?://\S+")
ELLIPSIS = re.compile(r"…|\.{3}")

ENDS = r"，。；：、,;:.!?！？"
OPENING = r"（(【\[《〔“「"
CLOSING = r"）)】\]》〕”」"
ANYWHERE: dict[str, str] = {
    "machine's word for nothing": r"(?i)(?<![a-z])(?:none|null|undefined|nan)(?![a-z])",
    "template's sign": r"\{\{|\}\}|\{%|%\}|%s|¶",
    "empty brackets": rf"[{OPENING}][\s{ENDS}]*[{CLOSING}]|\"\s*\"",
    "separators in a row": rf"[，。；：、,;:.]\s*[{ENDS}]|[!?！？]\s+[{ENDS}]",
    "begins with a separator": rf"(?m)^\s*[{ENDS}]",
    "separator behind an opening bracket": rf"[{OPENING}]\s*[{ENDS}]",
    "separator behind the signature": rf"^【[^】]*】\s*[{ENDS}]",
    "separator before a closing bracket": rf"[，；：、,;:]\s*[{CLOSING}]",
    "space at an end of a line": r"(?m)^[^\S\n]|[^\S\n]$",
    "empty line": r"\n\s*\n|^\n|\n$",
    "spaces in a row": r"[^\S\n]{2}",
    "space before a separator": rf"[^\S\n][{ENDS}]",
    "space within a bracket": rf"[{OPENING}]\s|\s[{CLOSING}]",
    "nothing behind a colon": r"[：:]\s*$|[：:]\s+(?:拒收|Reply)|(?m:^[^，。：:\n]{1,12}[：:]$)",
    "what cannot be seen": (
        r"[\u00ad\u034f\u115f\u1160\u200b-\u200f\u2060\u2800\u3164\ufeff\uffa0]"
        r"|(?<![^\s，。（【：“:,(])\ufe0f"
    ),
    "nothing is left": r"(?<!\d)0(?:分钟| minutes)",
}
"""What no message in either language has."""

IN_CHINESE: dict[str, str] = {
    "sum": r"(?<![\d港美欧日])元|(?:合计|实付)(?=[，。）])",
    "number": r"(?<![\d一二两几这那每哪])[笔件](?=商品|，|。|待|合计|还)|共(?=[件笔])",
    "who": r"^【】|我是的|这里是[，。]|请问是吗",
    "order": r"尾号(?=[，。）]|$)",
    "product": r"拍(?:的|下的|下了)(?=[，。（]|还没有|(?:还未|待)(?:付款|支付)|给您留到|还有\d|您不用)",
    "product's pieces": r"(?:拍的|拍下的|拍下了|^)(?:等|共)\d+件",
    "time of the order": r"您(?:拍[的下]|提交|在我们店)",
    "time before which": r"(?<![0-9点半分时之])前(?=付款|支付|有效|重新|再次)",
    "time of the close": (
        r"将于自动|留到(?=[，。]|$)|(?<!到时间)(?:订单会自动关闭|，(?:会?自动)?关闭(?!之前))|一笔自动关闭"
    ),
    "time left": r"还有(?=[，。可])",
    "specification": r"规格是(?=[，。])",
    "city": r"送到(?=[，。的大])",
    "note": r"备注了(?=[，。])",
    "word for paying": r"(?:还没有|还未|待)(?=[，。])",
    "gift": r"(?:送您|赠)(?=[，。])",
    "worth of a coupon": r"送(?=[^，。\d]{0,8}券)",
    "name of a coupon": r"送(?:您一张)?[\d.]+(?:元|美元)(?=[（，])",
    "threshold": r"满(?=[）可])",
    "worth of a change": r"优惠(?=，(?:实付|合计|今))|省(?=，实付)",
    "time of protection": r"付款后内|支付后内|有价保|(?:付款|支付)后价保",
}
"""Words of Chinese that need one beside them, by what is missing then."""

IN_ENGLISH: dict[str, str] = {
    "name": r"^(?:Hi|Hello) ,|is this \?",
    "sum": r"\btotal is\.",
}
"""Words of English that need one beside them."""

_PATTERNS = {
    language: {what: re.compile(pattern) for what, pattern in (ANYWHERE | own).items()}
    for language, own in {"zh-CN": IN_CHINESE, "en": IN_ENGLISH}.items()
}


def empty_slots(text: str, language: str) -> list[str]:
    """What is missing in a text, each with where it shows; nothing of a text without holes."""
    # What a link or an omission holds is no sentence.
    plain = ELLIPSIS.sub("…", LINK.sub("LINK", text))
    return [
        f"{what}: {plain[max(0, found.start() - 12) : found.end() + 12]!r}"
        for what, pattern in _PATTERNS[language].items()
        for found in pattern.finditer(plain)
    ]
