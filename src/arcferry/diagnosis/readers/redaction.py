"""The one place where credentials are taken out of what was handed in, before any reader sees it."""

import re

HIDDEN = "[redacted]"

_HINT = re.compile(
    r"secret|passw|passphrase|pwd|token|authori[sz]ation|bearer|assertion|shared.?key|account.?key|api.?key|"
    r"private.?key|key-string|authentication-key|securestring|snmp-server|eyJ|[?&;]sig=|@|"
    r"\bkey\b|\bmd5\b|azcmagent|curl|sshpass",
    re.IGNORECASE,
)
_CHEAP = (
    "secret", "passw", "passphrase", "pwd", "token", "authori", "bearer", "assertion", "key", "securestring",
    "snmp-server", "eyj", "sig=", "@", "md5", "azcmagent", "curl", "sshpass",
)  # fmt: skip
"""What `_HINT` looks for, in lower case and shortened: wherever it finds something, one of these stands."""
_WORD = (
    r"(?:secret|passw(?:or)?d|passphrase|\bpwd|shared[-_ ]?key|account[-_]?key|access[-_]?token|"
    r"refresh[-_]?token|id[-_]?token|auth[-_]?token|client[-_]?assertion|api[-_]?key|private[-_]?key|"
    r"authorization(?![\w-]))"
)
_KEYED = re.compile(
    rf"({_WORD}[\w-]{{0,40}}\\*[\"']?[ \t]*(?::=|=>|[:=])[ \t]*)"
    r"(\\+\"[^\"\n]*?\\*\"|\"(?:[^\"\\\n]|\\.)*\"?|'[^'\n]*'?|[^\s,;}\]&\"'{\[\\][^\s,;}\]&\"]*)",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"(--?[\w-]{{0,40}}{_WORD}[\w-]{{0,40}}[ \t]+)(\"[^\"\n]*\"?|'[^'\n]*'?|(?!-)\S+)", re.IGNORECASE
)
_SHORT = re.compile(r"(\s-p[ =]+)(\"[^\"\n]*\"?|'[^'\n]*'?|(?!-)\S+)")
_USER = re.compile(r"((?:\s-[uU]|--(?:proxy-)?user)[ =]*)(\"[^\"\n]*\"?|'[^'\n]*'?|[^\s:]{1,200}:\S+)")
_SSHPASS = re.compile(r"(\bsshpass\s+-p\s*)(\S+)")
_SECURE_STRING = re.compile(
    r"(ConvertTo-SecureString[ \t]+(?:-String[ \t]+)?)(\"[^\"\n]*\"?|'[^'\n]*'?|(?!-)\S+)", re.IGNORECASE
)
_HEADER = re.compile(
    r"((?:Proxy-)?Authorization[ \t]*[:=][ \t]*\[?)"
    r"((?:Digest|NTLM|Negotiate)[^\n]*|(?:(?:Bearer|Basic)[ \t]+)?[^\s\"',}\]]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(\bBearer[ \t]+)([A-Za-z0-9._~+/=-]{8,})", re.IGNORECASE)
_JWT = re.compile(r"()(eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?)")
_SIGNATURE = re.compile(r"([?&;]sig=)([^&\s\"']+)", re.IGNORECASE)
_IN_URL = re.compile(r"(://)([^\s/\"'<>|@]{1,300}(?:@[^\s/\"'<>|@]{1,300}){0,3})(?=@)")
_ROUTER = re.compile(
    r"^((?:[\w.()/@:~-]{1,80}[>#%$][ \t]*)?[ \t]*(?:set|neighbor|peer|enable|username|user|key|tacacs|radius|"
    r"tacacs-server|radius-server|crypto|standby|ip|ntp|authentication|authentication-key|encrypted-password|"
    r"password|secret|session-key|ppp|line|protocol|protocols|bgp)\b[^\n]{0,200}?"
    r"(?:\bpassword|\bsecret|\bkey|\bkey-string|\bauthentication-key|\bencrypted-password|\bmd5|\bhash)"
    r"[ \t]+(?:(?:clear|encrypted|sha512|\d{1,2})[ \t]+)?)(\"[^\"\n]*\"?|[^\s;\"]+)",
    re.IGNORECASE,
)
_KEY_STRING = re.compile(
    r"^([ \t]*(?:key-string|password|secret|authentication-key|encrypted-password)[ \t]+(?:\d{1,2}[ \t]+)?)"
    r"(\"[^\"\n]*\"?|[^\s;\"]+)",
    re.IGNORECASE,
)
_SNMP = re.compile(r"^([^\n]{0,80}?\bsnmp(?:-server)?[ \t]+community[ \t]+)(\S+)", re.IGNORECASE)
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----")
_PEM_END = "-----END "
_LONG_KEY = 20_000
_EVERYWHERE = (
    _HEADER, _IN_URL, _KEYED, _OPTION, _SECURE_STRING, _BEARER, _JWT, _SIGNATURE, _SSHPASS,
    _ROUTER, _KEY_STRING, _SNMP,
)  # fmt: skip
_OPENING = re.compile(r"\\*[\"']")
_LITERALS = {"null", "true", "false", "none", '""', "''"}


def _hide(found: re.Match[str]) -> str:
    """The key as it was, and in place of the value a mark in the quotes that it had."""
    value = found[2]
    if not value or value.lower() in _LITERALS or HIDDEN in value:
        return found[0]
    if re.search(r'(?<!\\)"[ \t]*:[ \t]*\Z', found[1]) and value[0] not in "\\\"'":
        return f'{found[1]}"{HIDDEN}"'  # a number of a JSON object, which has to stay one
    quoted = _OPENING.match(value)
    mark = quoted[0] if quoted else ""
    closing = mark if len(value) >= 2 * len(mark) and value.endswith(mark) else ""
    return f"{found[1]}{mark}{HIDDEN}{closing}"


def _without(line: str) -> str:
    for pattern in _EVERYWHERE:
        line = pattern.sub(_hide, line)
    if "azcmagent" in line:
        line = _SHORT.sub(_hide, line)
    if "curl" in line.lower():
        line = _USER.sub(_hide, line)
    return line


def _without_keys(text: str) -> str:
    """The same text without the insides of private keys; without an end, as far as keys are long."""
    parts, place = [], 0
    while found := _PEM_BEGIN.search(text, place):
        end = text.find(_PEM_END, found.end(), found.end() + _LONG_KEY)
        inside = text[found.end() : end if end >= 0 else found.end() + _LONG_KEY]
        parts += [text[place : found.end()], HIDDEN, "\n" * inside.count("\n")]
        place = found.end() + len(inside)
    return "".join((*parts, text[place:]))


def _suspects(text: str) -> list[int]:
    """Where a word stands that a credential may be near; many times as fast as looking for `_HINT`."""
    lowered = text.lower()
    if len(lowered) != len(text):  # some letters become two, and then no place is right
        return [found.start() for found in _HINT.finditer(text)]
    places = []
    for word in _CHEAP:
        place = lowered.find(word)
        while place >= 0:
            places.append(place)
            end = lowered.find("\n", place)
            place = lowered.find(word, end) if end >= 0 else -1
    return places


def redact(text: str) -> str:
    """The same text without passwords, tokens, keys and the users in URLs; JSON stays JSON.

    Lines stay where they are, so that a line number in an error still means the line of the file.
    """
    if "PRIVATE KEY" in text:
        text = _without_keys(text)
    kept, done = [], 0
    for start, end in sorted({_line_at(text, place) for place in _suspects(text)}):
        line = text[start:end]
        if _HINT.search(line):
            kept += [text[done:start], _without(line)]
            done = end
    return "".join((*kept, text[done:])) if kept else text


def _line_at(text: str, place: int) -> tuple[int, int]:
    end = text.find("\n", place)
    return text.rfind("\n", 0, place) + 1, end if end >= 0 else len(text)
