"""What tells that a machine uses an Arc private link scope, since `azcmagent show` no longer does (1.17).

Azure's own document of the machine has it (`az resource show`, `az connectedmachine show`, `az rest`,
`Get-AzConnectedMachine`), and so have the command and the settings that the agent was connected with.
"""

import re
from collections.abc import Iterator

from arcferry import typed
from arcferry.evidence.case import AgentState, Document, Kind
from arcferry.evidence.readers import values
from arcferry.evidence.readers.agent_show import scope

_MOST = 200
_MACHINE = re.compile(r"/providers/Microsoft\.HybridCompute/machines/[^/]{1,90}/*", re.IGNORECASE)
_TYPE = "microsoft.hybridcompute/machines"
_SCOPE_ID = r"/subscriptions/[^\s\"',;`]{1,200}/privateLinkScopes/[^\s\"',;`\\]{1,90}"
_GUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
# A variable says that there is a scope; a word in capitals, as in a page's own example, says nothing.
_OPTION = re.compile(
    rf"--private-link-scope(?:=|[ \t]{{1,9}})[\"']?({_SCOPE_ID}|{_GUID}|[$%]\{{?[\w:]{{1,60}})", re.IGNORECASE
)
_SETTING = re.compile(
    r"private[-_]?link[-_]?scope(?:[-_]?resource)?(?:[-_]?id)?[\"']?[ \t]{0,40}[:=][ \t]{0,9}[\"']?"
    rf"({_SCOPE_ID})",
    re.IGNORECASE,
)
_KEYS = ("private-link-scope", "privatelinkscope", "privatelinkscopeid", "onboard_private_link_scope")
_CONNECTS = {"subscription-id", "resource-group", "location", "tenant-id", "cloud", "service-principal-id"}
_STATUSES = {"connected", "disconnected", "expired", "error"}


def is_machine(value: object) -> bool:
    """Whether this is Azure's document of a machine or a list of them, whole or as far as its scope."""
    machines = _machines(value)
    return bool(machines) and all(map(_is_machine, machines))


def read_machines(name: str, value: object) -> tuple[Document, ...]:
    """What Azure says of each machine; of several, each is a server of its own."""
    machines = _machines(value)
    if len(machines) == 1:
        return (_machine(name, machines[0]),)
    documents = []
    for fields in machines:
        called = typed.resource(fields.get("name")) or typed.NAME_IS_NONE
        documents.append(_machine(f"{name}: {called}", fields, called))
    return tuple(documents)


def _machines(value: object) -> list[dict[str, object]]:
    listed = value if isinstance(value, list) else values.lowered(value).get("value")
    rows = listed if isinstance(listed, list) else [value]
    whole = [values.lowered(row) for row in rows[:_MOST]]
    return [{**values.lowered(row.get("properties")), **row} for row in whole]


def _is_machine(fields: dict[str, object]) -> bool:
    if "privatelinkscoperesourceid" in fields or str(fields.get("type")).lower() == _TYPE:
        return True
    return bool(_MACHINE.search(str(fields.get("id", ""))[-400:])) and "agentversion" in fields


def _machine(name: str, fields: dict[str, object], server: str = "") -> Document:
    def text(key: str) -> str:
        return values.short(fields.get(key))

    own, whole_id, status = (
        typed.resource(fields.get("name")),
        typed.resource_id(fields.get("id")),
        text("status"),
    )
    named = (("resource name", own), ("resource id", whole_id))
    state = AgentState(
        origin=name,
        status=status.capitalize() if status.lower() in _STATUSES else "",
        version=typed.word(text("agentversion")),
        location=typed.location(text("location")),
        private_link_scope=scope(text("privatelinkscoperesourceid")),
        properties=tuple((key, item) for key, item in named if item),
    )
    return Document(name, Kind.AZURE_MACHINE, agent_state=state, servers=(server,) if server else ())


def has_scope(value: object) -> bool:
    """Whether these are the settings of `azcmagent connect --config`, with a scope among them."""
    fields = values.lowered(value)
    return bool(_CONNECTS & set(fields)) and any(isinstance(fields.get(key), str) for key in _KEYS)


def read_settings(name: str, value: object) -> Document:
    """The scope in the settings that the agent is connected with."""
    fields = values.lowered(value)
    return _given(name, next(str(fields[key]) for key in _KEYS if isinstance(fields.get(key), str)))


def read(name: str, text: str) -> Document | None:
    """The scope in a command that connects an agent, or in a line that sets it; None if none is named."""
    found = next(_named(values.lines(text)), "")
    return _given(name, found) if found else None


def _named(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if given := _OPTION.search(line) or _SETTING.search(line):
            yield given[1]


def _given(name: str, found: str) -> Document:
    return Document(
        name, Kind.CONNECT_SETTINGS, agent_state=AgentState(name, private_link_scope=scope(found))
    )
