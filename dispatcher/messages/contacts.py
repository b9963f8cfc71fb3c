"""Ways to reach someone outside the platform, found by their form in folded text."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Form = Literal["phone", "email", "chat_id", "link"]

# What people put between digits; a size such as 180*200 has other marks.
_GAP = "[ .\u200b·—_-]"
# A size may have these, but not in the groups of a number.
_WIDE_GAP = "[ .\u200b·—_,/()★-]"
_DIGIT = "[0-9〇零一二三四五六七八九]"

# One pass that stops only where one of these may begin; what stands in front is looked at after that.
_NUMBER = re.compile(
    "[1一幺048qvw微薇扣企](?:"
    # A mobile number whole, in the groups people write, or digit by digit.
    "(?<=[1一幺])(?:(?<![0-9]1)|(?<=[+]861))(?P<phone>"
    f"\u200b*[3-9三四五六七八九](?:\u200b*{_DIGIT}){{9}}"
    f"|[3-9]{_DIGIT}{_WIDE_GAP}+{_DIGIT}{{4}}{_WIDE_GAP}+{_DIGIT}{{4}}"
    f"|[3-9]{_DIGIT}{_GAP}+{_DIGIT}{{3}}{_GAP}+{_DIGIT}{{5}}"
    f"|[3-9]{_DIGIT}{_WIDE_GAP}+{_DIGIT}{{8}}"
    f"|(?:{_WIDE_GAP}+{_DIGIT}){{10}}"
    ")(?![0-9])"
    # Landlines and service numbers, only with their groups: a number without them may count anything.
    "|(?<=0)(?<![0-9]0)(?P<landline>[0-9]{2,3}[ —-][0-9]{7,8})(?![0-9])"
    "|(?<=[48])(?<![0-9][48])(?P<service>00(?:[ —-]?[0-9]{3,4}[—-][0-9]{3,4}|[—-][0-9]{7}))(?![0-9])"
    # A chat name behind what says that it is one.
    "|(?<![a-z0-9].)(?P<chat_id>(?:(?<=q)q|(?<=[vw])x|(?<=v)信?|(?<=[微薇])信?|(?<=扣)扣|(?<=企)鹅)[号群]?(?:"
    f"[ :：-]*[0-9](?:{_GAP}?[0-9]){{4,10}}(?![0-9])"
    "|[:：] *[a-z][a-z0-9_-]{5,19}"
    "))"
    # 加v with a sign, which inside a word only separates.
    "|(?<=[+]v)(?P<added>)(?![a-z0-9领型字形])"
    ")"
)
_EMAIL = re.compile(r"[a-z0-9._+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")

_TOP_LEVELS = (
    "com|cn|net|org|cc|top|xyz|vip|shop|store|me|io|co|app|link|site|online|wang|club|info|tv|ltd|tech|fun|biz|"
    "hk|tw|jp|uk|us|ru|ly|gl|im|la|ink|pro|mobi|asia|wiki|cloud|live|work|group|space|website|example|"
    "icu|dev|ai|xin|win|bid|loan|click|download|stream|trade|party|review|date|racing|science|webcam|cricket|"
    "art|ren|cool|chat|life|today|world|run|team|studio|design|email|company|network|systems|solutions|agency|"
    "digital|market|news|media|social|video|games|page|pages|bio|cash|money|center|plus|zone|guru|rocks|social|"
    "sbs|cfd|cyou|bond|lol|mom|monster|quest|beauty|hair|skin|makeup|boats|autos|homes|vin|surf|rest|bar|pub|"
    "gov|edu|int|mil|arpa|xxx|moe|cab|gift|gifts|luxe|fans|host|press|fit|law|ltda|srl|zip|mov|foo|phd|prof|"
    "de|fr|eu|es|nl|pl|se|dk|fi|cz|hu|ro|gr|pt|ie|lt|lv|ee|ua|kz|ir|il|ae|tr|pk|bd|lk|np|mm|kh|mo|mn|id|th|vn|"
    "ph|sg|kr|au|ca|br|mx|za|ng|nz|cm|cf|ga|gq|tk|gg|gd|gs|sh|ws|vc|ac|bz|ag|sc|cx|su|pw|nu|hm|fm|wf|mu|tf"
)
# Words of other languages too: with a path they are a host's end.
_WORDS_TOO = (
    "in|is|it|no|at|be|by|to|my|so|as|am|ml|st|one|new|blog|red|men|game|bet|ms|li|ch|al|do|sa|si|sk|bg"
)
# What stands between gaps and Chinese characters, from its beginning, with a dot or a slash in it.
_MAYBE_LINK = re.compile("[!-~](?<![!-~]{2})[!-\\-0-9:-~]*+[.。/][!-~。]*")
# Where a link leads is what a browser makes of it: user info may hold anything but what ends the host, and
# a backslash is a slash to some and none to others.
_LINK = re.compile(
    r"(?:(?:https?:[/\\]|[a-z][a-z0-9+]{1,9}:[/\\]{2})[/\\]*"
    r"(?P<named>[a-z0-9._-]*(?:。[a-z0-9._-]+)*)(?P<rest>[^/?#]*)"
    # A run may begin with the dot behind what is no host.
    r"|(?<![a-z0-9@_-])(?<![a-z0-9@_-][.。])(?:"
    rf"(?P<bare>(?:[a-z0-9-]{{1,63}}[.。]){{1,126}}(?:(?:{_TOP_LEVELS})(?![a-z0-9@-])|(?:{_WORDS_TOO})(?=/[a-z0-9])))"
    r"|(?P<address>(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?=(?::[0-9]{1,5})?/[!-~]))"
    r")(?P<more>[:;@\\][^/?#]*)?)"
    r"(?:[/?#][!-~]*)?"
)
_NO_MORE_HOST = re.compile(r"(?::[0-9]*)?[^a-z0-9@\\%]*")

# What every link and contact has: ten digits and gaps in a row, a letter behind a dot, or one of a few signs.
_IN_NUMBERS = _DIGIT[1:-1] + _WIDE_GAP[1:-1]
_LEADS_OUT = re.compile(
    rf"[qvw微薇扣企@。\\{_IN_NUMBERS}](?:[{_IN_NUMBERS}]{{9}}|[a-z](?<=[.。].)|(?<=[qvw微薇扣企@/\\]))"
)


class Found(NamedTuple):
    """Something found in folded text; a link has a `host`, which ends at `host_end`.

    The host is empty where it cannot be told for certain, as behind user info or a backslash.
    """

    form: Form
    start: int
    end: int
    host: str = ""
    host_end: int = 0


def may_lead_out(folded: str) -> bool:
    """Whether there may be a link or a contact; where not, there is none."""
    return _LEADS_OUT.search(folded) is not None


def links(folded: str) -> Iterator[Found]:
    """Every link, with or without a scheme."""
    for run in _MAYBE_LINK.finditer(folded):
        start = run.start()
        for match in _LINK.finditer(run[0]):
            yield _link(match, start)


def _link(match: re.Match[str], start: int) -> Found:
    named = next(name for name in ("named", "bare", "address") if match[name] is not None)
    host = match[named].replace("。", ".").rstrip(".")
    behind = match["rest" if named == "named" else "more"]
    if behind and not _NO_MORE_HOST.fullmatch(behind):
        host = ""
    return Found("link", start + match.start(), start + match.end(), host, start + match.end(named))


def contacts(folded: str) -> Iterator[Found]:
    """Every phone number, e-mail address and chat name."""
    for match in _NUMBER.finditer(folded):
        number = match["chat_id"] is None and match["added"] is None
        yield Found("phone" if number else "chat_id", match.start(), match.end())
    if "@" in folded:
        for match in _EMAIL.finditer(folded):
            yield Found("email", match.start(), match.end())
