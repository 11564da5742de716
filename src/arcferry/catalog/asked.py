"""What somebody may mean who asks for a code by any number, name or spelling that a tool printed."""

import re
from collections.abc import Iterator
from functools import cache

from arcferry.catalog.exit_codes import codes, from_row, known_code
from arcferry.catalog.store import Code, load
from arcferry.text import one_line

_NUMBERED = re.compile(
    r"(?:(?P<who>[a-z][a-z0-9_ .]{0,40}?)[ :=#(-]{0,4})?"
    r"\(?(?P<number>-?\d{1,10}|(?:0x|&h)?[0-9a-f]{8}h?|0x[0-9a-f]{1,8})\)?",
    re.IGNORECASE,
)
_INSIDE = re.compile(r"AZCM\d{4}(?!\d)|AADSTS\d{5,7}(?!\d)|0x[89a-f][0-9a-f]{7}(?![0-9a-f])", re.IGNORECASE)
_FOREIGN = re.compile(r"[^\x00-\x7f]{1,20}[ :]{0,3}")
_HEX = re.compile(r"(?P<sign>0x|&h)?(?P<digits>[0-9a-f]{1,8})h?", re.IGNORECASE)
_SPEAKERS = {
    "curl": ("curl",),
    "winhttp": ("winhttp", "wininet"),
    "winsock": ("socket", "winsock", "wsa"),
    "msiexec": ("msi",),
    "agent": ("azcm",),
    "http": ("http",),
    "": (
        "error",
        "err",
        "exit",
        "code",
        "errno",
        "hresult",
        "hr",
        "result",
        "rc",
        "status",
        "win32",
        "windows",
    ),
}
"""The family of a number by a word before it; the last ones tell none."""
_ALONE = ("agent", "msiexec", "win32", "winhttp", "winsock", "http")
"""The families of a number that nobody is named with, in the order of the pages."""
_OF_WINDOWS = ("winhttp", "winsock", "win32", "msiexec")
_PLAIN, _WORD = 0xFFFF, 1 << 32
_WIN32_FACILITY = 0x8007
_LONG_NAME = 8


@cache
def system_codes() -> tuple[Code, ...]:
    """The codes of Windows, curl and the agent's services; no reader judges by them."""
    document = load("system_codes")
    tables = ("winhttp", "winsock", "win32", "hresult", "curl", "http", "services")
    return tuple(
        from_row({"family": table.removesuffix("s"), **row}, document)
        for table in tables
        for row in document.content[table]
    )


@cache
def _numbered() -> dict[tuple[str, int], Code]:
    found = {(code.family, int(code.code, 0)): code for code in system_codes() if code.family != "service"}
    for code in codes():
        if code.code.startswith("AZCM"):
            found["agent", int(code.code[4:])] = code
        elif code.family == "msiexec":
            found["msiexec", int(code.code)] = code
    return found


@cache
def _named() -> dict[str, Code]:
    found = {code.meaning.partition(":")[0].lower(): code for code in (*codes(), *system_codes())}
    found = {name: code for name, code in found.items() if "_" in name or name.startswith("wsa")}
    found |= {code.code.lower(): code for code in system_codes() if code.family == "service"}
    aliases = load("system_codes").content["aliases"]
    return found | {alias: found[name.lower()] for alias, name in aliases.items()}


def asked(text: str) -> tuple[Code, ...]:
    """Every code that this may mean: `AZCM0026`, `26`, `0x80072ee7`, `-2147012889`, `curl 28`, `himds`.

    Letter case counts nowhere, and a part of a long name will do if only one has it; of a sentence the codes
    in it count. None where nothing is known by it; see `facility` then.
    """
    wanted = _FOREIGN.sub("", one_line(text, limit=1000).strip(" .,;'\""), count=1)
    inside = dict.fromkeys(map(str.lower, _INSIDE.findall(wanted))) if " " in wanted else {}
    if inside:
        return tuple(code for one in inside for code in asked(one))
    if not wanted.isdigit() and (code := known_code(wanted)):
        return (code,)
    if found := _NUMBERED.fullmatch(wanted):
        return tuple(_by_number(found["who"] or "", found["number"]))
    name = wanted.lower().replace("error_internet_", "error_winhttp_")
    if code := _named().get(name) or _named().get(f"wsa{name}") or known_code(name.replace(" ", "")):
        return (code,)
    if len(name) < _LONG_NAME or not name.isalpha():
        return ()
    part = {code.code: code for code in codes() if code.code.isalpha() and name in code.code.lower()}
    return tuple(part.values()) if len(part) == 1 else ()


def also_asked(text: str) -> tuple[Code, ...]:
    """What the same number alone means to curl, which counts from 1 as the agent does."""
    number = text.strip()
    code = _numbered().get(("curl", int(number))) if re.fullmatch(r"\d{1,3}", number) else None
    return (code,) if code else ()


def facility(text: str) -> str:
    """Who defines this HRESULT; empty for what is none, or another's."""
    found = _NUMBERED.fullmatch(one_line(text, limit=120).strip())
    value = (_value(found["number"]) if found else None) or 0
    of = load("system_codes").content["facilities"]
    return str(of.get(str(value >> 16 & 0x7FF), "")) if value >> 31 else ""


def _by_number(who: str, number: str) -> Iterator[Code]:
    value = _value(number)
    if value is None:
        return
    words = re.findall("[a-z0-9]+", who.lower())
    told = [family for family, own in _SPEAKERS.items() if any(one.startswith(own) for one in words)]
    if words and not told:
        return
    families: tuple[str, ...] = (told[0],) if words and told[0] else _ALONE
    if value >> 16 == _WIN32_FACILITY or (value <= _PLAIN and _is_hex(number)):
        value, families = value & _PLAIN, _OF_WINDOWS
        yield from [code for family in families if (code := _numbered().get((family, value)))][:1]
    elif value > _PLAIN:
        yield from filter(None, (_numbered().get(("hresult", value)),))
    else:
        yield from (code for family in families if (code := _numbered().get((family, value))))


def _is_hex(number: str) -> bool:
    found = _HEX.fullmatch(number)
    return found is not None and bool(found["sign"])


def _value(number: str) -> int | None:
    """The number without a sign; eight digits such as 80072ee7 and c0000005 need no 0x before them."""
    found = _HEX.fullmatch(number)
    if found and (found["sign"] or re.fullmatch("[8a-f][0-9a-f]{7}", found["digits"], re.IGNORECASE)):
        return int(found["digits"], 16)
    if not re.fullmatch(r"-?\d{1,10}", number):
        return None
    value = int(number)
    return value % _WORD if -(_WORD // 2) <= value < _WORD else None
