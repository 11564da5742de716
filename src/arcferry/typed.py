"""What a value from outside must be to be taken for what it is called: a host, an address, Azure's names.

Every function gives the value in its one spelling, or an empty text (or a word that says so) where it is
none. What is not of its type is never shown: a name that is a command stays out of every text.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address

from arcferry.redaction import mask
from arcferry.text import whole

RESOLVER_IS_NONE = "a resolver whose name is none"
PROXY_IS_NONE = "a proxy whose address is none"
NAME_IS_NONE = "a name that is none"
NOT_SHOWN = "a value that is not shown here"

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{1,40}}")
_SERVER = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{0,40}}")
_LONG_HOST = 254
_LONG_ADDRESS = 100
_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:\[\]]{1,253})):([0-9]{1,5})")
LAST_PORT = 65535
_HOSTS_FILE = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][A-Za-z0-9._-]{1,60}){1,8}[\\/]hosts")
_PROXY = re.compile(r"(https?|socks[45]h?)://([^\s/?#@]{1,260})/?", re.IGNORECASE)
_NOT_IN_LABELS = re.compile(r"[$`|<>;{}\\\"!\r\n]|://")
_NOT_IN_NAMES = re.compile(r"[$`|<>;{}\r\n]|://")


def host(value: object) -> str:
    """A host name in lower case without its final dot; empty where `value` is none."""
    return _matching(_HOST, value)


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONG_HOST:
        return ""
    name = value.strip().rstrip(".").lower()
    return name if len(name) < _LONG_HOST and pattern.fullmatch(name) else ""


def address(value: object) -> str:
    """An IP address in its usual spelling, without a zone; empty where `value` is none."""
    if not isinstance(value, str) or len(value) > _LONG_ADDRESS:
        return ""
    try:
        return str(ip_address(value.strip().partition("%")[0]))
    except ValueError:
        return ""


def split_port(value: str) -> tuple[str, int]:
    """`10.0.0.53:5353` as the address or name and the port; port 0 where there is none."""
    found = _WITH_PORT.fullmatch(value)
    port = whole(found[3], most=LAST_PORT) if found else None
    if found is None or port is None:
        return value, 0
    return found[1] or found[2], port


def server(value: object) -> str:
    """An address or a name, with a port or without; empty where `value` is none."""
    if not isinstance(value, str):
        return ""
    name, port = split_port(value.strip())
    found = address(name)
    if ":" in found and port:
        return f"[{found}]:{port}"
    found = found or _matching(_SERVER, name)
    return f"{found}:{port}" if found and port else found


def resolver(value: object) -> str:
    """One DNS server or several, or the hosts file that answered in their place.

    Empty where `value` is empty or no text; a word that says so where it is neither.
    """
    if not isinstance(value, str) or not value.strip():
        return ""
    if _HOSTS_FILE.fullmatch(value):
        return value
    named = [server(part) for part in value[: _LONG_HOST * 4].split(", ")]
    return ", ".join(named) if all(named) else RESOLVER_IS_NONE


def is_hosts_file(value: str) -> bool:
    """Whether this is the path of a hosts file, which is what an answer from it names as its resolver."""
    return _HOSTS_FILE.fullmatch(value) is not None


def port_of(value: str) -> int:
    """The port of the first of these servers; 0 where none is named."""
    return split_port(value.partition(", ")[0])[1]


def proxy(value: object) -> str:
    """A proxy's URL without a user, a password and a path; empty where `value` is empty or no text.

    A URL without a scheme is taken as it is. What is no URL of a proxy gives a word that says so.
    """
    if not isinstance(value, str) or not value.strip():
        return ""
    text = re.sub(r"//[^/\s]*@", "//", value.strip()[:1000])
    found = _PROXY.fullmatch(text)
    named = server(found[2] if found else text.rstrip("/"))
    if not named:
        return PROXY_IS_NONE
    return f"{found[1].lower()}://{named}" if found else named


def _all_of(pattern: str) -> Callable[[object], str]:
    """What gives the texts that a pattern matches as a whole, and an empty one for anything else."""
    whole_value = re.compile(pattern)
    return lambda value: value if isinstance(value, str) and whole_value.fullmatch(value) else ""


guid = _all_of(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
"""A GUID."""

resource_group = _all_of(r"[\w(][\w.()-]{0,88}[\w()-]|\w")
"""A resource group's name, which may hold letters of any language."""

resource = _all_of(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?")
"""The name of a resource of Azure's network."""

resource_id = _all_of(r"/subscriptions/[A-Za-z0-9-]{1,60}(?:/[\w(][\w.()-]{0,120}){1,16}/*")
"""A resource's whole id."""

location = _all_of(r"[A-Za-z0-9][A-Za-z0-9 ]{0,39}")
"""An Azure region, by its name or its display name."""

community = _all_of(r"[0-9]{1,10}:[0-9]{1,10}(?::[0-9]{1,10})?")
"""A BGP community such as `12076:51010`."""

word = _all_of(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,119}")
"""A state, a version, a kind or a service tag: letters, digits, few marks."""


def label(value: str, limit: int = 120) -> str:
    """A name in any language, such as a provider's or a place's, masked; a word in place of what is none."""
    return NAME_IS_NONE if len(value) > limit or _NOT_IN_LABELS.search(value) else mask(value)


@lru_cache(maxsize=1024)  # the certificates of one service name the same hosts again and again
def name(value: str) -> str:
    """What a document is called, such as `logs.zip!himds.log`, or a certificate as RFC 4514 writes it.

    Masked; a word in place of what is no name.
    """
    return NAME_IS_NONE if _NOT_IN_NAMES.search(value) else mask(value)


def shown(value: str, limit: int = 80) -> str:
    """A wrong value in quotation marks for an error, or a word where it holds what no value of ours does."""
    return NOT_SHOWN if _NOT_IN_LABELS.search(value) else f"'{' '.join(value.split())[:limit]}'"
