"""What servers print is data from strangers: read here within bounds, never in a template."""  # noqa: INP001 - Ansible finds it by its path

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

_LONGEST_OUTPUT = 4 * 1024 * 1024
_LONGEST_TEXT = 2_000
_SOON = 300  # seconds that a connect may take until its token is used
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_PLAIN_TAG = re.compile(r"[\w.:/@+-]+")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{20,65536}")
_PROCESSORS = {"x86_64": "amd64", "x64": "amd64", "aarch64": "arm64"}
_ANY_PROCESSOR = {"all", "noarch", ""}

Fields = dict[str, Any]


def answer(ran: Fields, verb: str, secret: str = "") -> Fields:
    """The host script's answer to `verb`, among whatever else the server printed.

    Args:
        ran: what the task that ran the script registered.
        verb: what was asked for.
        secret: a text that must not travel on, wherever the server printed it.

    Returns:
        The answer; if there is none that can be read, one that says so with the code `no-answer`.
    """
    printed = str(ran.get("stdout") or "")[-_LONGEST_OUTPUT:]
    if secret:
        printed = printed.replace(secret, "[removed]")
    for line in reversed(printed.splitlines()):
        found = _object(line)
        if found is not None and found.get("verb") in (verb, "usage") and isinstance(found.get("ok"), bool):
            return found
    reasons = (str(ran.get(key) or "") for key in ("stderr", "module_stderr", "msg"))
    reason = next((text for text in reasons if text.strip()), "it printed nothing")
    if secret:
        reason = reason.replace(secret, "[removed]")
    return refusal(verb, "no-answer", f"the host script gave no answer that can be read: {_one_line(reason)}")


def refusal(verb: str, code: str, message: str) -> Fields:
    """An answer in the host script's own form, for what failed before the script could run."""
    return {"schema": 1, "verb": verb, "ok": False, "code": code, "message": message}


def says(found: Fields) -> str:
    """An answer that is not ok, on one line for people."""
    code, message = (_one_line(str(found.get(key) or "")) for key in ("code", "message"))
    return ": ".join(part for part in (str(found.get("verb")), code, message) if part)


def package(manifest: Fields, facts: Fields) -> Fields:
    """What the manifest says of the agent that fits a server; an empty `file` if the bundle has none."""
    wanted = _processor(str(facts.get("arch", "")))
    fitting = [
        agent
        for agent in manifest.get("agents", [])
        if agent["format"] == facts.get("package_format")
        and _processor(agent["architecture"]) in {wanted, *_ANY_PROCESSOR}
    ]
    fitting.sort(key=lambda agent: _processor(agent["architecture"]) != wanted)
    return dict(fitting[0]) if fitting else {"file": "", "version": ""}


def needs_install(chosen: Fields, facts: Fields) -> bool:
    """Whether a server has no agent, or an older one than the package; Azure may have brought a newer one."""
    agent = facts.get("agent")
    here = agent if isinstance(agent, dict) else {}
    if here.get("installed") is not True or not here.get("version"):
        return True
    return _version(str(here["version"])) < _version(str(chosen["version"]))


def windows_path(name: str) -> str:
    """A bundle's path as Windows writes it."""
    return name.replace("/", "\\")


def tags_text(tags: Fields) -> str:
    """Tags as azcmagent reads them: `k=v,k2='v 2'`, with a backslash before a quote (1.50 and newer)."""
    return ",".join(f"{_quoted(str(name))}={_quoted(str(value))}" for name, value in tags.items())


def token_problem(token: str) -> str:
    """Why this is no token to connect with, empty if it may be one; never tells any of it."""
    if not token:
        return "it is empty"
    if not _TOKEN.fullmatch(token):
        return "it has other letters than a token's"
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - head, claims and signature of a JSON Web Token
        return ""  # Entra's are; what is not can only be judged by Azure
    try:
        claims = _object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode("utf-8"))
    except ValueError:
        claims = None
    ends = (claims or {}).get("exp")
    if isinstance(ends, (int, float)) and ends < time.time() + _SOON:
        return f"it ran out, or does so within {_SOON // 60} minutes: mint a new one"
    return ""


def _object(text: str) -> Fields | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _one_line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text[: 4 * _LONGEST_TEXT]).split())[:_LONGEST_TEXT]


def _version(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d{1,9}", text[:100])]


def _processor(name: str) -> str:
    return _PROCESSORS.get(name.lower(), name.lower())


def _quoted(text: str) -> str:
    if _PLAIN_TAG.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


_FILTERS = (answer, refusal, says, package, needs_install, windows_path, tags_text, token_problem)


class FilterModule:
    """Names the filters for Ansible."""

    def filters(self) -> Fields:
        """The filters by name."""
        return {one.__name__: one for one in _FILTERS}
