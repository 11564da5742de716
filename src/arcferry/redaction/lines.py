"""Secrets that no name announces: in URLs, keys, tokens of a known form, arguments and settings of routers.

Each rule of arguments and settings is asked only of the lines in which one of its words stands. What its
groups match is the secret.
"""

import re
from collections.abc import Iterator

Span = tuple[int, int]

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_LONG_KEY = 20_000
_PUTTY = re.compile(r"Private-Lines: ?(\d{1,3})[^\n]*\n")
_JWT = re.compile(r"eyJ[A-Za-z0-9_=-]{10,}(?:\.[A-Za-z0-9_=-]*){0,4}")
_JWT_RUN = re.compile(r"[A-Za-z0-9_=.-]*")
_WRAPPED = re.compile(r"(?:\r?\n|\\n)([A-Za-z0-9_=-]{16,}(?:\.[A-Za-z0-9_=-]*)?)(?=\r?\n|\\n|\Z)")
_TOKENS = (
    ("gh", re.compile(r"gh[pousr]_[A-Za-z0-9]{20,255}")),
    ("github_pat_", re.compile(r"github_pat_\w{20,255}")),
    ("glpat-", re.compile(r"glpat-[\w-]{16,255}")),
    ("xox", re.compile(r"xox[a-z]-[\w-]{10,255}")),
    ("akia", re.compile(r"AKIA[0-9A-Z]{12,20}")),
    ("asia", re.compile(r"ASIA[0-9A-Z]{12,20}")),
    ("aiza", re.compile(r"AIza[\w-]{30,60}")),
    ("ya29.", re.compile(r"ya29\.[\w-]{10,2000}")),
    ("sk-", re.compile(r"sk-[\w-]{20,255}")),
    ("npm_", re.compile(r"npm_[A-Za-z0-9]{20,255}")),
    ("pypi-", re.compile(r"pypi-[\w-]{20,2000}")),
    ("hvs.", re.compile(r"hvs\.[\w-]{10,255}")),
    ("age-secret-key-", re.compile(r"AGE-SECRET-KEY-[0-9A-Z]{20,100}")),
    ("$", re.compile(r"\$(?:[0-9]{1,2}|2[abxy]|y|sha1|argon2\w{0,2})\$[^\s\"';,<>]{4,}")),
    ("%^%#", re.compile(r"%\^%#[^\s\"'<>]{1,300}")),
    ("%@%@", re.compile(r"%@%@[^\s\"'<>]{1,300}")),
)
_QUERY = re.compile(
    r"(?:sig|code|key|pwd|st|subscription-key|x-amz-signature|x-amz-credential)(=|%3[Dd])([^\s&\"'<>;,\\%]+(?:%(?!26)[^\s&\"'<>;,\\%]*)*)",
    re.IGNORECASE,
)
_QUERY_BEFORE = ("?", "&", ";", "&amp;", "%26", "%3f", "\\u0026")
_QUERIES = ("sig=", "sig%3d", "code=", "code%3d", "key=", "key%3d", "x-amz-signature=", "x-amz-credential=")
_BEGINS = {name: {name, "key", "signature", "cred"} for name in _QUERIES}
_AT = re.compile(r"@|%40|\\u0040")
_CHAIN = re.compile(r"(?:[^\s/\"'<>|@]{1,300}@){0,50}")
_BACK = re.compile(r"[^\s\"'<>|`\u201c\u201d\u2018\u2019]{0,400}")
_WORD = re.compile(r"[^\s\"'<>|`\u201c\u201d\u2018\u2019]*")
_MOST_TRIES = 6
_SCHEME = re.compile(r".*(?::|%3A|\\u003a)(?:/|\\/|%2F|\\u002f){2}", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|[\w-]+(?:\.[\w-]+)+|localhost)(?::\d{1,5})?(?=[/?#])|[\w.-]+:\d{1,5}(?=[/?#])"
)
_WITH_COLON = re.compile(r"(?:.*[=\s(\[,])?([^\s=:(\[,@]{1,100}(?::|%3[Aa])[^\s]+)", re.DOTALL)
_LOG_PLACE = re.compile(r"[\w./\\-]{1,80}:\d{1,6}(?::.*)?|\w+:(?:\d{1,3}\.){3}\d{1,3}.*", re.DOTALL)

_WRAPPED_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]{2,60}\r?\n[\w-]{1,40}[ \t=]+([^\s\"']{3,})")


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

ANCHORS = (
    "@", "%40", "\\u0040", "-----begin", "private-lines", "eyj", *_QUERIES,
    *(begins for begins, _ in _TOKENS), *{word for words, _ in _RULES for word in words},
)  # fmt: skip
"""Where none of these stands, nothing is found."""


def spans(text: str, lowered: str, there: set[str]) -> Iterator[Span]:
    """Where they stand, in no order.

    Args:
        text: the text.
        lowered: the same in lower case, letter by letter.
        there: which of `ANCHORS`, and of other words, it holds.
    """
    if there & {"-----begin", "private-lines"}:
        yield from _keys(text)
    if "eyj" in there:
        yield from _web_tokens(text, lowered)
    if there & {"@", "%40", "\\u0040"}:
        yield from _in_urls(text)
    yield from _tokens(text, lowered, there)
    yield from _in_queries(text, lowered, there)
    yield from _arguments(text, lowered, there)
    if "--" in text:
        yield from (found.span(1) for found in _WRAPPED_OPTION.finditer(text))


def _keys(text: str) -> Iterator[Span]:
    """The insides of private keys; without an end, as far as keys are long."""
    place = 0
    while found := _PEM.search(text, place):
        end = text.find("-----END ", found.end(), found.end() + _LONG_KEY)
        place = end if end >= 0 else min(len(text), found.end() + _LONG_KEY)
        yield found.end(), place
    for found in _PUTTY.finditer(text):
        end = found.end()
        for _ in range(int(found[1])):
            end = text.find("\n", end) + 1 or len(text)
        yield found.end(), end


def _web_tokens(text: str, lowered: str) -> Iterator[Span]:
    place = lowered.find("eyj")
    while place >= 0:
        run = _JWT_RUN.match(text, place)
        end = run.end() if run else place
        found = _JWT.match(text, place)
        if found and not (text[place - 1 : place].isalnum()):
            end = max(end, found.end())
            yield place, end
            while below := _WRAPPED.match(text, end):
                yield below.span(1)
                end = below.end()
        place = lowered.find("eyj", max(end, place + 3))


def _tokens(text: str, lowered: str, there: set[str]) -> Iterator[Span]:
    beginnings = tuple(there)
    for begins, pattern in _TOKENS:
        place = lowered.find(begins) if begins.startswith(beginnings) else -1
        while place >= 0:
            found = pattern.match(text, place)
            if found and not text[place - 1 : place].isalnum():
                yield found.span()
            place = lowered.find(begins, found.end() if found else place + len(begins))


def _in_urls(text: str) -> Iterator[Span]:
    """User and password before an @, in a URL or in what stands for one without its scheme."""
    done = word_end = tries = 0
    for at in _AT.finditer(text):
        if at.start() >= word_end:
            forward = _WORD.match(text, at.start())
            word_end, tries = forward.end() if forward else at.end(), 0
        tries += 1
        if at.start() < done or tries > _MOST_TRIES:
            continue
        back = _BACK.match(text[max(done, at.start() - 400) : at.start()][::-1])
        begin = at.start() - (back.end() if back else 0)
        if span := _user(text[begin : at.start()]):
            more = _CHAIN.match(text, at.end())
            done = more.end() if more else at.end()
            yield begin + span[0], max(at.start(), done - 1)


def _user(word: str) -> Span | None:
    if scheme := _SCHEME.match(word):
        user = word[scheme.end() :]
        return None if not user or _AUTHORITY.match(user) else (scheme.end(), len(word))
    found = _WITH_COLON.fullmatch(word)
    if found is None or _LOG_PLACE.fullmatch(found[1]):
        return None
    return found.span(1)


def _in_queries(text: str, lowered: str, there: set[str]) -> Iterator[Span]:
    for name in _QUERIES:
        place = lowered.find(name) if there & _BEGINS[name] else -1
        while place >= 0:
            first = name.startswith("sig") and not text[place - 1 : place].isalnum()
            found = _QUERY.match(text, place)
            announced = first or lowered[max(0, place - 6) : place].endswith(_QUERY_BEFORE)
            if found and announced and not found[2].isdigit():
                yield found.span(2)
            place = lowered.find(name, found.end() if found else place + len(name))


def _arguments(text: str, lowered: str, there: set[str]) -> Iterator[Span]:
    """Those in arguments of programs and in settings of routers, looked for by their own rules."""
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
