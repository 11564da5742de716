"""DNS answers as JSON: `{"resolver", "taken", "answers": {name: {"chain", "addresses", "rcode"}}}`."""

from collections.abc import Mapping

from arcferry import typed
from arcferry.errors import FileInputError
from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import DnsAnswer

_MOST = 5000


def _is_answer(value: object) -> bool:
    if value is None or (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return True
    return isinstance(value, Mapping) and any(key in value for key in ("addresses", "chain", "rcode"))


def looks_right(value: object) -> bool:
    """Whether this is the shape of DNS answers."""
    answers = values.mapping(value).get("answers")
    return isinstance(answers, Mapping) and all(_is_answer(item) for item in list(answers.values())[:50])


def read(name: str, value: object) -> Document:
    """The answers. A name whose value is null, or an empty list, is one that the resolver did not find.

    Raises:
        FileInputError: a name or an address is none, with the name.
    """
    document = values.mapping(value)
    resolver, taken = typed.resolver(document.get("resolver")), values.instant(document.get("taken"))
    answers = []
    for key, item in list(values.mapping(document.get("answers")).items())[:_MOST]:
        host = values.host(key)
        if not host:
            raise FileInputError(name, f"{typed.shown(values.short(key, 80))} under answers is no host name")
        fields = values.mapping(item)
        given = values.texts(fields.get("addresses") if isinstance(item, Mapping) else item)
        addresses = [values.address(text) for text in given]
        if "" in addresses:
            wrong = values.short(given[addresses.index("")], 80)
            raise FileInputError(name, f"{typed.shown(wrong)}, an answer for {host}, is no IP address")
        chain = tuple(link for text in values.texts(fields.get("chain")) if (link := values.host(text)))
        rcode = values.word(fields.get("rcode"), 20).upper()
        answers.append(DnsAnswer(host, chain, tuple(addresses), resolver, rcode, name, taken))
    return Document(name, Kind.DNS_ANSWERS, taken, answers=tuple(answers))
