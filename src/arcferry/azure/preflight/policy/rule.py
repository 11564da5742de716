"""A policy's rule, asked about a machine that is not there yet: yes, no, or not to be told from here."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from arcferry.azure.preflight.policy.expression import UNKNOWN, Unknown, value_of

TYPE = "Microsoft.HybridCompute/machines"
Answer = bool | None
_DEEPEST = 40
_TAG = re.compile(r"tags(?:\.([^\[\].]+)|\['?([^'\]]+)'?\])", re.IGNORECASE)
_GLOB = re.compile(r"[^*]*\*?[^*]*")


@dataclass(slots=True)
class Candidate:
    """A machine as it would be made.

    Attributes:
        tags: None where it is not known which it will have.
        seen: the names of the tags that were asked for, as they were written.
    """

    name: object
    location: object
    tags: Mapping[str, str] | None
    group: str = ""
    subscription: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def parameter(self, name: str) -> object:
        """A parameter's value, `UNKNOWN` where none was given."""
        return self.parameters.get(name.lower(), UNKNOWN)

    def field(self, name: str) -> object:
        """A field of the machine; of what is not said here nobody knows."""
        known = {"type": TYPE, "location": self.location, "name": self.name, "fullname": self.name}
        if name.lower() == "tags":
            return UNKNOWN if self.tags is None else dict(self.tags)
        if found := _TAG.fullmatch(name):
            wanted = found[1] or found[2]
            self.seen.add(wanted)
            if self.tags is None:
                return UNKNOWN
            return next((text for key, text in self.tags.items() if key.lower() == wanted.lower()), None)
        return known.get(name.lower(), UNKNOWN)

    def call(self, function: str) -> object:
        """Where the machine would be; of its group no more than its name is known."""
        match function.lower():
            case "resourcegroup":
                return {"name": self.group, "location": UNKNOWN, "tags": UNKNOWN, "id": UNKNOWN}
            case "subscription":
                return {"subscriptionId": self.subscription, "id": f"/subscriptions/{self.subscription}"}
            case _:
                return UNKNOWN


def holds(rule: object, machine: Candidate, depth: int = 0) -> Answer:
    """Whether the condition of a rule is true of a machine; None where it cannot be told."""
    if not isinstance(rule, Mapping) or depth > _DEEPEST:
        return None
    parts = {str(key).lower(): value for key, value in rule.items()}
    if "not" in parts:
        inner = holds(parts["not"], machine, depth + 1)
        return None if inner is None else not inner
    for key, decides in (("allof", False), ("anyof", True)):
        if key in parts:
            listed = parts[key]
            if not isinstance(listed, list):
                return None
            return _joined((holds(one, machine, depth + 1) for one in listed), decides=decides)
    return _condition(parts, machine)


def _joined(answers: Iterable[Answer], *, decides: bool) -> Answer:
    """`allOf` is decided by one that is false, `anyOf` by one that is true."""
    found = list(answers)
    if decides in found:
        return decides
    return None if None in found else not decides


def _condition(parts: Mapping[str, Any], machine: Candidate) -> Answer:
    if "field" in parts:
        name = value_of(parts["field"], machine)
        value = machine.field(name) if isinstance(name, str) else UNKNOWN
    elif "value" in parts:
        value = value_of(parts["value"], machine)
    else:
        return None
    for operator, wanted in parts.items():
        positive = operator.removeprefix("not") if operator.startswith("not") else operator
        if positive in _OPERATORS:
            operand = value_of(wanted, machine)
            if isinstance(value, Unknown) or isinstance(operand, Unknown):
                return None
            answer = _OPERATORS[positive](value, operand)
            return answer if answer is None or positive == operator else not answer
    return None


def _equals(value: object, wanted: object) -> Answer:
    if value is None or wanted is None:
        # Whether nothing equals an empty text, Azure's documents do not say.
        return None if "" in (value, wanted) else value is wanted
    return _folded(value) == _folded(wanted)


def _in(value: object, wanted: object) -> Answer:
    if not isinstance(wanted, list):
        return None
    return _joined((_equals(value, one) for one in wanted), decides=True)


def _like(value: object, wanted: object) -> Answer:
    if value is None:
        return False
    if not isinstance(value, str) or not isinstance(wanted, str) or not _GLOB.fullmatch(wanted):
        return None
    head, star, tail = wanted.lower().partition("*")
    text = value.lower()
    if not star:
        return text == head
    return len(text) >= len(head) + len(tail) and text.startswith(head) and text.endswith(tail)


def _contains(value: object, wanted: object) -> Answer:
    if value is None:
        return False
    if isinstance(value, str) and isinstance(wanted, str):
        return wanted.lower() in value.lower()
    return None


def _contains_key(value: object, wanted: object) -> Answer:
    if value is None:
        return False
    if isinstance(value, Mapping) and isinstance(wanted, str):
        return any(str(key).lower() == wanted.lower() for key in value)
    return None


def _exists(value: object, wanted: object) -> Answer:
    said = _folded(wanted)
    return None if said not in {"true", "false"} else (value is not None) is (said == "true")


def _folded(value: object) -> object:
    """As Azure compares: texts without regard to letter case, and `true` as the text too."""
    if isinstance(value, bool):
        return str(value).lower()
    return _place(value.lower()) if isinstance(value, str) else value


def _place(text: str) -> str:
    """`East Asia` and `eastasia` are one location to Azure, which takes either."""
    return text.replace(" ", "")


_OPERATORS: dict[str, Callable[[object, object], Answer]] = {
    "equals": _equals,
    "in": _in,
    "like": _like,
    "contains": _contains,
    "containskey": _contains_key,
    "exists": _exists,
}
