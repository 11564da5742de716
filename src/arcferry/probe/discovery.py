"""A region's own HIS host, asked of the service that knows it: never derived from the region's name."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from arcferry import numbers
from arcferry.catalog import Cloud, Region
from arcferry.probe.observation import Failure, Stage
from arcferry.probe.visit import Means, Visit, visit
from arcferry.text import one_line, quoted

_API_VERSION = "2.1"
_HTTPS = 443
_OK = 200
_LONGEST_HOST = 253
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+")


@dataclass(frozen=True, slots=True)
class Discovery:
    """The regional HIS host, or why it is not known."""

    host: str
    failure: Failure | None
    seen: Visit


async def discover(cloud: Cloud, region: Region, means: Means) -> Discovery:
    """Ask `cloud.discovery_host` for the region's HIS host, as the agent does before it connects.

    The answer is a URL, bare or as a JSON string; a host outside `cloud.his_suffix` is refused, because
    whoever answers in the service's place must not choose where a server sends its requests.
    """
    target = f"/discovery?location={quote(region.name, safe='')}&api-version={_API_VERSION}"
    seen = await visit(cloud.discovery_host, _HTTPS, target, means, body=True)
    url = f"https://{cloud.discovery_host}{target}"
    if seen.failure:
        return _failed(seen, seen.failure.stage, f"{url}: {seen.failure.says}")
    answer = seen.response
    if answer is None or answer.status != _OK:
        said = f"{answer.status} {answer.reason}".strip() if answer else "nothing"
        return _failed(seen, Stage.HTTP, f"{url} answered {said}")
    host = his_host(answer.body, cloud.his_suffix)
    if host is None:
        preview = one_line(answer.body, limit=80)
        return _failed(
            seen, Stage.HTTP, f"{url} answered {quoted(preview)}, which is no URL under {cloud.his_suffix}"
        )
    return Discovery(host, None, seen)


def his_host(body: bytes, suffix: str) -> str | None:
    """The host of a discovery answer, None where it is not an https URL of a host under `suffix`."""
    try:
        text = body.decode("ascii").strip()
        value = numbers.from_json(text) if text.startswith('"') else text
        parts = urlsplit(str(value))
        plain = parts.scheme == "https" and parts.port in (None, _HTTPS) and "@" not in parts.netloc
    except (ValueError, RecursionError):
        return None
    host = (parts.hostname or "").removesuffix(".")
    code = host.removesuffix(suffix.lstrip("."))
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    named = code != host and len(host) <= _LONGEST_HOST and _HOST.fullmatch(code)
    return host if plain and bare and named else None


def _failed(seen: Visit, stage: Stage, says: str) -> Discovery:
    return Discovery(
        "", Failure(stage, "discovery-failed", f"the regional HIS host is unknown: {says}"), seen
    )
