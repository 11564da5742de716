"""What an export is, from the folder that it was written into, and where its servers went."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arcferry.errors import FileInputError, first_problem
from arcferry.export import Tool
from arcferry.export.ansible import COLLECTION
from arcferry.export.ansible import SETTINGS as ANSIBLE_SETTINGS
from arcferry.export.content import SETTINGS
from arcferry.export.servers import SERVERS
from arcferry.export.task import task_name
from arcferry.files import read_bounded
from arcferry.fleet.host_state import Way
from arcferry.leave.places import Where
from arcferry.leave.trace import Trace, TraceKind, trace

_LIMIT = 1024 * 1024
_MAP_LIMIT = 64 * _LIMIT
_Kind = TypeVar("_Kind", bound=BaseModel)
_CONTENT = ("share", "content", "source")
_HINT = "Give the folder that arcferry export wrote: it holds STEPS.md."
_TITLES = {
    Tool.GPO: "by Group Policy",
    Tool.CONFIGMGR: "by Configuration Manager",
    Tool.INTUNE: "by Intune",
    Tool.SCRIPT: "with scripts",
    Tool.ANSIBLE: "with Ansible",
}
_Text = Annotated[str, Field(max_length=4000)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Literal["onboard-settings"]
    via: Tool
    way: Way = Way.ONBOARD
    bundle: _Text
    connect: Mapping[_Text, _Text]
    results: _Text
    token_file: _Text = ""


class _Ansible(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    onboard_subscription_id: _Text
    onboard_resource_group: _Text
    onboard_location: _Text
    onboard_cloud: _Text


class _Map(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    places: Annotated[Mapping[_Text, Mapping[_Text, _Text]], Field(min_length=1, max_length=10_000)]


def read_export(folder: Path) -> tuple[Trace, tuple[Where, ...]]:
    """An export with its removers, and where in Azure it brings servers to.

    Raises:
        FileInputError: it is none, or its settings cannot be read.
    """
    if (folder / COLLECTION).is_dir():
        return _of_ansible(folder)
    found = next((path for name in _CONTENT if (path := folder / name / SETTINGS).is_file()), None)
    if found is None:
        raise FileInputError(folder, "is no export of arcferry's", hint=_HINT)
    settings = _read(found, _Settings, _LIMIT)
    share = settings.results.replace("\\", "/").rpartition("/")[0].replace("/", _slash(settings.results))
    blanks = {"share": share, "results": settings.results}
    blanks |= {"task": task_name(settings.way), "sign_in": _sign_in(settings)}
    places = _places(found.parent / SERVERS, settings.connect)
    title, kind = _TITLES[settings.via], settings.via.value
    says = f"bundle {settings.bundle}; servers go to {'; '.join(map(str, places))}"
    return trace(TraceKind.EXPORT, title, str(folder), says, words=kind, blanks=blanks), places


def _places(path: Path, connect: Mapping[str, str]) -> tuple[Where, ...]:
    """Where every server goes, or where the map of an export sends each."""
    rows = _read(path, _Map, _MAP_LIMIT).places.values() if path.is_file() else ({},)
    told = [{**connect, **row} for row in rows]
    names = ("cloud", "location", "subscription-id", "resource-group", "service-principal-id")
    return tuple(dict.fromkeys(Where(*(row.get(name, "") for name in names)) for row in told))


def _read(path: Path, kind: type[_Kind], limit: int) -> _Kind:
    try:
        return kind.model_validate_json(read_bounded(path, limit=limit))
    except ValidationError as error:
        raise FileInputError(path, first_problem(error), hint=_HINT) from error


def _slash(path: str) -> str:
    return "\\" if "\\" in path else "/"


def _sign_in(settings: _Settings) -> str:
    if settings.token_file:
        return f"Remove the token file {settings.token_file}, and end what writes it."
    if thumbprint := settings.connect.get("service-principal-cert-thumbprint", ""):
        return f"Remove the certificate {thumbprint} from each server's own store."
    return ""


def _of_ansible(folder: Path) -> tuple[Trace, tuple[Where, ...]]:
    path = folder / ANSIBLE_SETTINGS
    try:
        document: Any = yaml.safe_load(read_bounded(path, limit=_LIMIT))
        found = _Ansible.model_validate(document)
    except ValidationError as error:
        raise FileInputError(path, first_problem(error), hint=_HINT) from error
    except yaml.YAMLError as error:
        raise FileInputError(path, "is no YAML", hint=_HINT) from error
    where = Where(
        found.onboard_cloud,
        found.onboard_location,
        found.onboard_subscription_id,
        found.onboard_resource_group,
    )
    title, kind = _TITLES[Tool.ANSIBLE], Tool.ANSIBLE.value
    return trace(TraceKind.EXPORT, title, str(folder), f"servers go to {where}", words=kind), (where,)
