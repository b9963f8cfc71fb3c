"""Spellings that read the same, made one: width, case, traditional characters, and what hides in between."""

import re
from string import ascii_lowercase
from unicodedata import category, normalize

from dispatcher.policy.unseen import FILLERS

HIDDEN = "\u200b"
"""What every character becomes that is not seen or stands on another one."""

PICTURE = "★"
"""What every sign and picture becomes that is no letter."""

DASH = "—"
DOT = "·"

SEPARATORS = frozenset(HIDDEN + PICTURE + DASH + DOT + " .-_*~|/'`^+&#=<>")
"""What may stand inside a word to break it up; the marks that end a part of a sentence do not."""

# The blocks with compatibility forms of letters, digits and characters; the rest folds to itself.
_FOLDED_BLOCKS = (
    range(0x3400),
    range(0xA640, 0xA700),
    range(0xF900, 0x10000),
    range(0x1D400, 0x1D800),
    range(0x1F000, 0x1FB00),
    range(0x2F800, 0x2FA20),
    range(0xE0000, 0xE01F0),
)

# Only the characters of the words that the rules come with; which is whose is OpenCC's (Apache 2.0).
_TRADITIONAL = (
    "並亞佈併係俬個倫偉傢僅價儘優兇內冊別劃務匯卽參叢單噁噹囌國圓圖團奬妝媽學實寧寶專對導屆層峯強彆彈彙後"
    "徑復徵徹惡捲掃搶擬敵時暢曬書會朮東條業極標機檔檢檯權歡沒測溫滙滾滿漲為無熱爲獎獨現環甦甯當瘋癡發盡眞"
    "碼禮稱窮筆箇節糰紅紋紐紗級細終結絕給絶經綠綫維網緊緑線緻縴繞繫纖羣聯腦膚臉臺與萬葯蔘薦藥蘇號術裏補裝"
    "裡複視訊評話課調護譽讚貓貝負財貨買貼賣賤質賬賴賺購贊趕跡踰蹟軍軟輕輯轉迴週進運過遙遜適遲選還醣醫釦銀"
    "銷錢錯長門閃閑閒間關際隨雲電響頁頂須領頭額颱飽餓餘馬馳騙騰髮鬚鬥魚鮮鵝麪麫麵麼麽點鼕"
)
_SIMPLIFIED = (
    "并亚布并系私个伦伟家仅价尽优凶内册别划务汇即参丛单恶当苏国圆图团奖妆妈学实宁宝专对导届层峰强别弹汇后"
    "径复征彻恶卷扫抢拟敌时畅晒书会术东条业极标机档检台权欢没测温汇滚满涨为无热为奖独现环苏宁当疯痴发尽真"
    "码礼称穷笔个节团红纹纽纱级细终结绝给绝经绿线维网紧绿线致纤绕系纤群联脑肤脸台与万药参荐药苏号术里补装"
    "里复视讯评话课调护誉赞猫贝负财货买贴卖贱质账赖赚购赞赶迹逾迹军软轻辑转回周进运过遥逊适迟选还糖医扣银"
    "销钱错长门闪闲闲间关际随云电响页顶须领头额台饱饿余马驰骗腾发须斗鱼鲜鹅面面面么么点冬"
)

# Greek and Cyrillic letters that look like Latin ones; some do so only when they are large.
_ALIKE = "аеікорсухѕһԛѡνοχ"
_LATIN = "aeikopcyxshqwvox"
_LARGE_ALIKE = "ΑΒΕΗΙΚΜΝΤΥΖВМНТ"
_LARGE_LATIN = "abehikmntyzbmht"

# Other ways to write a character: of numbers as on a cheque, and of what names are spelled with.
_OTHERWISE = "壹贰叁肆伍陆柒捌玖寳髙"
_USUAL = "一二三四五六七八九宝高"

# Letters in black circles and squares, which Unicode does not take apart.
_BLACK = (0x1F150, 0x1F170)

_DOTS = "•・‧"

# What every Chinese text has, no word has, and needs no folding therefore.
_PUNCTUATION = "，：；（）！？"


def _folding() -> dict[int, str]:
    table = {
        code: folded for block in _FOLDED_BLOCKS for code in block if (folded := _folded(code)) != chr(code)
    }
    for mark in _PUNCTUATION:
        del table[ord(mark)]
    for given, meant in zip(_TRADITIONAL + _ALIKE, _SIMPLIFIED + _LATIN, strict=True):
        table[ord(given)] = meant
        table[ord(given.upper())] = meant
    for given, meant in zip(_LARGE_ALIKE + _OTHERWISE, _LARGE_LATIN + _USUAL, strict=True):
        table[ord(given)] = meant
    table |= {first + place: letter for first in _BLACK for place, letter in enumerate(ascii_lowercase)}
    table |= dict.fromkeys(map(ord, _DOTS), DOT) | dict.fromkeys(map(ord, FILLERS), HIDDEN)
    return table


def _folded(code: int) -> str:
    char = chr(code)
    match category(char):
        case "Cf" | "Mn" | "Me":
            return HIDDEN
        case "Cc":
            return char if char == "\n" else " "
        case "Zs":
            return " "
    plain = normalize("NFKC", char).casefold()
    if len(plain) > 1:
        # ⑴ is 1 and № is no; what has neither letter nor digit, as …, stays as it is.
        plain = "".join(filter(str.isalnum, plain)) or char
    if plain == char and not char.isascii():
        match category(char):
            case "So" | "Sm" | "Sk":
                return PICTURE
            case "Pd":
                return DASH
    return plain


_ASTRAL = "\U00010000"
_FOLDING = {chr(code): folded for code, folded in _folding().items()}
# Few characters of a message need folding, and a pattern that finds them is faster than asking for each.
_TO_FOLD = re.compile(
    f"[{re.escape(''.join(char for char in _FOLDING if char < _ASTRAL))}]|[{_ASTRAL}-\U0010ffff]"
)


def fold(text: str) -> str:
    """The text in the spelling that words are compared in; nearly every character stays one, in its place."""
    return _TO_FOLD.sub(_replacement, text)


def origins(text: str) -> list[int]:
    """For every character of the folded text the position it comes from."""
    return [at for at, char in enumerate(text) for _ in _FOLDING.get(char, char)]


def _replacement(match: re.Match[str]) -> str:
    return _FOLDING.get(match[0], match[0])
