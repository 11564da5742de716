"""What may stand in the cells of an inventory's row."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, ip_address
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from arcferry.fleet.inventory.tags import check_tags, parse_tags
from arcferry.text import one_line, quoted, whole

_HOST_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_-]{1,63})*\.?")
LONGEST_NAME = 54
"""The longest machine name that the agent takes (azcmagent connect reference, 2026-08)."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?")

# Azure Resource Manager refuses these words as a whole name, at its start, or anywhere in it
# (learn.microsoft.com, “Resolve reserved resource name errors”, as of 2026-08).
_RESERVED = re.compile(
    r"^(access|azure|bing|bizspark|biztalk|cortana|directx|dotnet|dynamics|excel|exchange|forefront|groove|"
    "hololens|hotmail|hyperv|kinect|lync|msdn|o365|office|office365|onedrive|onenote|outlook|powerpoint|"
    "sharepoint|skype|visio|visualstudio)$|^(login|xbox)|(microsoft|windows)"
)
# What resolvers take for an IPv4 address in an old way of writing: 0x7f000001 and 127.1 are 127.0.0.1.
_NUMBERS = re.compile(r"(?:0[xX][0-9A-Fa-f]*|[0-9]*)(?:\.(?:0[xX][0-9A-Fa-f]*|[0-9]*))*")
_USER = re.compile(r"(?:\.\\)?\w[\w.@\\-]{0,127}\$?")
_HIGHEST_PORT = 65_535
TRANSPORTS = ("ssh", "winrm")
Auth = Literal["kerberos", "ntlm", "certificate", "basic"]
AUTHS: tuple[Auth, ...] = get_args(Auth)
"""The ways to sign in over WinRM. CredSSP is none of them: it hands the password over to the server."""


def machine_name(name: str) -> str:
    """The name, if a machine may have it.

    Raises:
        ValueError: it may not; the text says why.
    """
    if not name:
        raise ValueError("name is empty")
    if len(name) > LONGEST_NAME:
        long = f"name {quoted(name, limit=60)} has {len(name)} characters"
        raise ValueError(f"{long}; a machine's name has at most {LONGEST_NAME}")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"name {quoted(name)} cannot be a machine's: it takes letters, digits, _ . and -, begins with a "
            "letter or digit, and does not end in a full stop"
        )
    if found := _RESERVED.search(name.lower()):
        word = next(filter(None, found.groups()))
        raise ValueError(f"name {quoted(name)} holds {quoted(word)}, which Azure reserves for itself")
    return name


def _address(address: str) -> str:
    if not address:
        raise ValueError("address is empty")
    try:
        parsed = ip_address(address.strip("[]"))
    except ValueError:
        if _NUMBERS.fullmatch(address) or not _HOST_NAME.fullmatch(address):
            raise ValueError(f"address {quoted(address)} is neither an IP address nor a host name") from None
        return address
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    reserved = isinstance(parsed, IPv4Address) and parsed.is_reserved
    # Linux takes the first for this computer, which would then be onboarded under another's name.
    if parsed.is_unspecified or parsed.is_multicast or reserved:
        raise ValueError(f"address {quoted(address)} is no single host's")
    return str(parsed)


def host_port(text: object) -> object:
    """A port as it stands in a cell; 0 where none does."""
    if text in ("", 0):
        return 0
    if isinstance(text, str) and not re.fullmatch(r"[1-9][0-9]{0,4}", text):
        raise ValueError(f"port {quoted(text)} is not a number from 1 to {_HIGHEST_PORT}")
    port = whole(str(text), most=_HIGHEST_PORT)
    if port is None:
        raise ValueError(f"port {text} is above {_HIGHEST_PORT}")
    return port


def _one_of(what: str, known: tuple[str, ...], text: object) -> str:
    word = str(text).lower()
    if word and word not in known:
        listed = f"{', '.join(known[:-1])} and {known[-1]} are"
        raise ValueError(f"{what} {quoted(word)} is not known; {listed}")
    return word


def host_transport(text: object) -> str:
    """A transport as it stands in a cell; empty where none does."""
    return _one_of("transport", TRANSPORTS, text)


def host_auth(text: object) -> str:
    """A way to sign in as it stands in a cell; empty where none does."""
    return _one_of("auth", AUTHS, text)


def _user(user: str) -> str:
    if user and not _USER.fullmatch(user):
        raise ValueError(f"user {quoted(user)} is not a user name")
    return user


def _site(site: str) -> str:
    if "=" in site:
        raise ValueError(
            f"site {quoted(site)} is written like a tag; put a cell of tags with commas in quotes"
        )
    return site


class HostRow(BaseModel):
    """A row that was checked; what a host reads of its place in Azure is checked by `Place`."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)

    name: Annotated[str, AfterValidator(machine_name)]
    address: Annotated[str, AfterValidator(_address)]
    port: Annotated[int, BeforeValidator(host_port)] = 0
    transport: Annotated[str, BeforeValidator(host_transport)] = ""
    user: Annotated[str, AfterValidator(_user)] = ""
    auth: Annotated[str, BeforeValidator(host_auth)] = ""
    tags: Annotated[
        dict[str, str],
        BeforeValidator(lambda text: parse_tags([text]) if isinstance(text, str) else text),
        AfterValidator(check_tags),
    ] = Field(default_factory=dict)
    site: Annotated[str, Field(max_length=64), AfterValidator(_site)] = ""
    location: str = ""
    resource_group: str = ""
    subscription: str = ""
    proxy: str = ""
    private_link_scope: str = ""
    gateway_id: str = ""
    window: str = ""


COLUMNS = tuple(HostRow.model_fields)


def checked(cells: Mapping[str, Any]) -> HostRow:
    """The row of these cells.

    Raises:
        ValueError: one of them is not what it must be; the text names it.
    """
    # Without an address the name is the address, as in an SSH command.
    given = {column: cell for column, cell in cells.items() if cell != "" or column == "name"}
    try:
        return HostRow.model_validate({"address": cells.get("name", ""), **given})
    except ValidationError as error:
        raise ValueError(_says(error)) from None


def _says(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{place} is missing"
    return one_line(message if first["type"] == "value_error" else f"{place}: {message}", limit=600)
