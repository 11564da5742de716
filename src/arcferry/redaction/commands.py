"""Secrets in the arguments of programs and in the settings of routers that no name of theirs announces.

Each rule is asked only of the lines in which one of its words stands. What its groups match is the secret.
"""

import re
from collections.abc import Iterator

Span = tuple[int, int]

_QUOTED = (
    r"\\{0,6}\"((?:[^\"\\\n]|\\{1,6}[^\"\\\n]){1,300})(?:\\{0,6}\")?"
    r"|\\{0,6}'((?:[^'\\\n]|\\{1,6}[^'\\\n]){1,300})(?:\\{0,6}')?"
)
_VALUE = rf"(?:{_QUOTED}|(?!-|\\{{0,6}}[\"'])([^\s\"']+))"
_FLAG = r"(?<!\S)"
_NUMBER = re.compile(r"\d{1,5}")
_Rule = tuple[tuple[str, ...], re.Pattern[str]]


def _rule(words: str, pattern: str) -> _Rule:
    return tuple(words.split(",")), re.compile(pattern, re.IGNORECASE)


_LETTER_P = (
    "azcmagent,certutil,sshpass,az login,docker,podman,plink,pscp,psftp,psexec,sqlcmd,mysql,ipmitool,winrs,"
)
_LETTER_P += "az ad,oc login,helm,mongo,keytool,smbclient,7z,unzip,zip,schtasks,signtool,command arguments"
_ALGORITHM = r"(?:md5|sha(?:-?\d{1,3})?|des(?:56)?|3des|aes(?:[ -]?\d{3})?)"
_PROGRAMS: tuple[_Rule, ...] = (
    _rule(_LETTER_P, rf"{_FLAG}[-/](?:p|pw|rp)(?:[ \t]*[=:][ \t]*|[ \t]+){_VALUE}"),
    _rule(_LETTER_P, rf"[\"']-(?:p|pw)[\"'][ \t]*,?[ \t]*(?:{_QUOTED})"),
    _rule(
        "azcmagent,sshpass,mysql,plink,7z,zip",
        rf"{_FLAG}-p(?=[^\s-]{{0,200}}[^a-z\s-])(?!\d{{1,5}}(?:\s|\Z))([^\s=:-]\S{{3,}})",
    ),
    _rule("bearer", r"\bbearer[ \t]+(?=\S{0,200}\d)([\w.~+/=-]{8,})"),
    _rule("negotiate,ntlm", r"\b(?:Negotiate|NTLM)[ \t]+([a-z0-9+/=]{16,})"),
    _rule("login=", r"\blogin=[^\s:]{1,100}:(\S+)"),
    _rule("redis-cli", rf"{_FLAG}-a[ \t]+{_VALUE}"),
    _rule(
        "ldap,onboard_agent,omsagent,omsadmin",
        rf"{_FLAG}-[ws][ \t=]+(?![0-9a-f]{{8}}-[0-9a-f]{{4}}-){_VALUE}",
    ),
    _rule(
        "curl,wget",
        rf"{_FLAG}(?:-u(?:[ \t]+|(?=[^\s:]{{1,200}}:))|--(?:proxy-)?user[ \t=]+|-b[ \t]+|"
        rf"--cookie[ \t=]+){_VALUE}",
    ),
    _rule("curl", rf"{_FLAG}(?:-E|--(?:proxy-)?cert)[ \t=]+[^\s:]{{1,200}}:(\S+)"),
    _rule(
        "net use,net.exe use",
        rf"\buse[ \t]+(?:[a-z*]:?[ \t]+)?\\{{2,8}}\S{{1,200}}(?:[ \t]+/\S{{1,200}}){{0,4}}"
        rf"[ \t]+(?!/){_VALUE}",
    ),
    _rule("net user,net.exe user", rf"\buser[ \t]+[^\s/]{{1,100}}[ \t]+(?!/){_VALUE}"),
    _rule(
        "kinit,sudo,runas,passwd,docker,openssl,gpg,cryptsetup,azcmagent,az login,base64,tee",
        rf"\b(?:echo|printf)[ \t]+(?:-\w[ \t]+)?(?:'%s(?:\\n)?'[ \t]+)?{_VALUE}[ \t]*\|",
    ),
    _rule("<<<", rf"(?<!<)<<<(?!<)[ \t]*{_VALUE}"),
    _rule("-passin,-passout,pass:", r"\bpass:([^\s\"']+)"),
    _rule("securestring", rf"SecureString(?:[ \t]+-(?:String|AsPlainText|Force)){{0,3}}[ \t]+{_VALUE}"),
    _rule(
        "pscredential,networkcredential",
        r"(?:PSCredential|NetworkCredential)[^\n(]{0,20}\([^,\n]{0,200},[ \t]*\\{0,6}"
        r"[\"']([^\"'\\\n]{1,300})",
    ),
    _rule(
        "parameterbinding(convertto-securestring)",
        r"name=\\{0,6}\"String\\{0,6}\"; ?value=\\{0,6}\"([^\"\\\n]{1,300})",
    ),
    _rule(
        "reg add,reg.exe add",
        r"/v[ \t]+[\"']?[^\s\"']{0,60}?(?:pass|pwd|secret|token|key|cred)[^\n]{0,100}?[ \t]/d[ \t]+"
        rf"{_VALUE}",
    ),
    _rule("keyvault", rf"{_FLAG}--value[ \t=]+{_VALUE}"),
    _rule("smbclient,mount,cifs,rpcclient", rf"{_FLAG}-U[ \t]*[^\s%]{{1,100}}%(\S+)"),
)
_COMMUNITY = (
    r"\bcommunity[ \t]+(?:(?:read|write|cipher|simple|ro|rw|trap|read-only|read-write)[ \t]+){0,3}"
    r"(?!\d{1,5}:\d|(?:name|members?|list|add|delete|set|none|internet|is|local-as)\b|no-)"
)
_SETTINGS: tuple[_Rule, ...] = (
    _rule("snmp", rf"{_COMMUNITY}(?:\\{{0,6}}\"([^\"\\\n]{{1,200}})|([^\s\"{{;\\]+))"),
    _rule(
        "community",
        r"(?<![\w-])community[ \t]+(?!(?:for|of|in|is|that|carries|and)\b)"
        r"(?:\"([^\"\n]{1,200})\"|([^\s\"{;:]{1,200}))[ \t]*\{",
    ),
    _rule("community", r"<community>[ \t]*<name>([^<\n]{1,100})"),
    _rule(
        "community",
        r"\b(?:r[ow]community6?|trapcommunity|com2sec[ \t]+\S{1,60}[ \t]+\S{1,60})[ \t]+([^\s\"]+)",
    ),
    _rule("snmp", r"\bversion[ \t]+(?:1|2c|3[ \t]+(?:no)?auth|3[ \t]+priv)[ \t]+([^\s\"{;]+)"),
    _rule(
        "snmp",
        r"\bhost[ \t]+\S{1,100}(?:[ \t]+(?:traps?|informs?|(?:use-)?vrf[ \t]+\S{1,60}|udp-port[ \t]+\d{1,6}|"
        r"version[ \t]+\S{1,10}(?:[ \t]+(?:auth|noauth|priv))?)){0,6}[ \t]+"
        r"(?!(?:traps?|informs?|version|vrf|use-vrf)\b)([^\s\"{;]+)",
    ),
    _rule("snmp", rf"{_FLAG}-[cAX][ \t]*([^\s-]\S*)"),
    _rule("snmp", r"\b(?:securityname[ \t]+|name=)([^\s\"{;]+)"),
    _rule(
        "snmp,usm,createuser",
        rf"\b(?:auth(?:entication-mode)?|priv(?:acy-mode)?|{_ALGORITHM})[ \t]+"
        rf"(?:(?:{_ALGORITHM}|cipher|simple|0|7|128|192|256)[ \t]+){{0,3}}"
        r"(?!(?:md5|sha|des|3des|aes)[\d-]*\b|(?:priv|auth|cipher|simple|128|192|256)\b)([^\s\"{;]{3,})",
    ),
    _rule(
        "standby,vrrp,glbp,nhrp,hsrp",
        r"\b(?:standby|vrrp|glbp|nhrp|hsrp)\b[^\n]{0,40}?\bauthentication[ \t]+(?:text[ \t]+)?"
        r"(?!(?:md5|text|key-chain|failed)\b)([^\s\"]+)",
    ),
    _rule(
        "authentication-mode",
        rf"authentication-mode[ \t]+(?:{_ALGORITHM}|hmac-\S{{1,20}})[ \t]+(?:\d{{1,3}}[ \t]+)?"
        r"(?!(?:cipher|plain|simple|nonstandard|usual)\b)([^\s\"{;]{3,})",
    ),
    _rule("community-string", r"community-string>[ \t]*([^<\s]{1,200})"),
    _rule("ipsec", rf"\b(?:{_ALGORITHM}|sha2-256|hmac-\S{{1,20}})[ \t]+([0-9a-f]{{16,}})"),
)
_RULES = (*_PROGRAMS, *_SETTINGS)
ANCHORS = tuple({word for words, _ in _RULES for word in words})
"""Where none of these stands, nothing is found."""


def spans(text: str, lowered: str, there: set[str]) -> Iterator[Span]:
    """Where they stand; the arguments are those of `lines.spans`."""
    beginnings = tuple(there)  # a search for several words finds the shortest of those that begin alike
    for words, pattern in _RULES:
        if not any(word.startswith(beginnings) for word in words):
            continue
        for start, end in _lines_with(lowered, words):
            for found in pattern.finditer(text, start, end):
                group = next((one for one in range(1, pattern.groups + 1) if found[one]), 0)
                if group and not _NUMBER.fullmatch(found[group]):
                    yield found.span(group)


def _lines_with(lowered: str, words: tuple[str, ...]) -> list[Span]:
    """The lines in which one of the words stands, each once."""
    found: dict[int, int] = {}
    for word in words:
        place = lowered.find(word)
        while place >= 0:
            end = lowered.find("\n", place)
            end = len(lowered) if end < 0 else end
            found[lowered.rfind("\n", 0, place) + 1] = end
            place = lowered.find(word, end)
    return list(found.items())
