"""Ways to reach someone outside the platform, found by their form in folded text."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Form = Literal["phone", "email", "chat_id", "link"]

# What people put between digits; a size such as 180*200 has other marks.
_GAP = "[ .\u200b·_-]"
_DIGIT = "[0-9〇零一二三四五六七八九]"

# One pass that stops only where one of these may begin; what stands in front is looked at after that.
_NUMBER = re.compile(
    "[1一幺048qvw微薇扣企](?:"
    # A mobile number whole, in the groups people write, or digit by digit.
    "(?<=[1一幺])(?:(?<![0-9]1)|(?<=[+]861))(?P<phone>"
    f"\u200b*[3-9三四五六七八九](?:\u200b*{_DIGIT}){{9}}"
    f"|[3-9]{_DIGIT}{_GAP}+{_DIGIT}{{4}}{_GAP}+{_DIGIT}{{4}}"
    f"|[3-9]{_DIGIT}{_GAP}+{_DIGIT}{{3}}{_GAP}+{_DIGIT}{{5}}"
    f"|[3-9]{_DIGIT}{_GAP}+{_DIGIT}{{8}}"
    f"|(?:{_GAP}+{_DIGIT}){{10}}"
    ")(?![0-9])"
    # Landlines and service numbers, only with their groups: a number without them may count anything.
    "|(?<=0)(?<![0-9]0)(?P<landline>[0-9]{2,3}[ -][0-9]{7,8})(?![0-9])"
    "|(?<=[48])(?<![0-9][48])(?P<service>00(?:[ -]?[0-9]{3,4}-[0-9]{3,4}|-[0-9]{7}))(?![0-9])"
    # A chat name behind what says that it is one.
    "|(?<![a-z0-9].)(?P<chat_id>(?:(?<=q)q|(?<=[vw])x|(?<=v)信?|(?<=[微薇])信?|(?<=扣)扣|(?<=企)鹅)[号群]?(?:"
    f"[ :：-]*[0-9](?:{_GAP}?[0-9]){{4,10}}(?![0-9])"
    "|[:：] *[a-z][a-z0-9_-]{5,19}"
    "))"
    ")"
)
_EMAIL = re.compile(r"[a-z0-9._+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")

_TOP_LEVELS = (
    "com|cn|net|org|cc|top|xyz|vip|shop|store|me|io|co|app|link|site|online|wang|club|info|tv|ltd|tech|fun|biz|"
    "hk|tw|jp|uk|us|ru|ly|gl|im|la|ink|pro|mobi|asia|wiki|cloud|live|work|group|space|website|example"
)
# What stands between gaps and Chinese characters, from its beginning, with a dot or a slash in it.
_MAYBE_LINK = re.compile("[!-~](?<![!-~]{2})[!-\\-0-9:-~]*+[.。/][!-~。]*")
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+]{1,9}://(?:[^/@]{0,64}@)?(?P<named>[^/?#:。]{1,253})"
    rf"|(?P<bare>(?<![a-z0-9.@_-])(?:[a-z0-9-]{{1,63}}[.。]){{1,5}}(?:{_TOP_LEVELS})(?![a-z0-9@-])))"
    r"(?:[/?#:][!-~]*)?"
)


class Found(NamedTuple):
    """Something found in folded text; a link has a `host`, which ends at `host_end`."""

    form: Form
    start: int
    end: int
    host: str = ""
    host_end: int = 0


def links(folded: str) -> Iterator[Found]:
    """Every link, with or without a scheme."""
    for run in _MAYBE_LINK.finditer(folded):
        start = run.start()
        for match in _LINK.finditer(run[0]):
            named = "named" if match["named"] else "bare"
            host = match[named].replace("。", ".").rstrip(".")
            yield Found("link", start + match.start(), start + match.end(), host, start + match.end(named))


def contacts(folded: str) -> Iterator[Found]:
    """Every phone number, e-mail address and chat name."""
    for match in _NUMBER.finditer(folded):
        form: Form = "chat_id" if match["chat_id"] else "phone"
        yield Found(form, match.start(), match.end())
    if "@" in folded:
        for match in _EMAIL.finditer(folded):
            yield Found("email", match.start(), match.end())
