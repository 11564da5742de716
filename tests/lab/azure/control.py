"""How the tests of the twin's control plane ask it: one client, full addresses, answers in one value."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

from arcferry_lab.twin import RESOURCE_GROUP, Twin

if TYPE_CHECKING:
    from tests.lab.conftest import Browser

VERSIONS = {"Microsoft.HybridCompute": "2025-01-13", "Microsoft.ResourceGraph": "2022-10-01"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of Resource Manager."""

    status: int
    body: Any
    headers: CIMultiDict[str]

    @property
    def code(self) -> str:
        """The error's code, empty where it is none."""
        error = self.body.get("error", {}) if isinstance(self.body, dict) else {}
        return str(error.get("code", ""))


class Control:
    """Resource Manager, as one client meets it."""

    def __init__(self, twin: Twin, browser: "Browser", token: str) -> None:
        self.twin = twin
        self.browser = browser
        self._token = token

    async def ask(
        self, method: str, path: str, body: object = None, *, version: str = "", **headers: str
    ) -> Answer:
        """Ask for a path; one without a leading `/subscriptions` lies in the twin's resource group.

        `If_Match` as an argument is the header `If-Match`.
        """
        path = self.place(path)
        sign = "&" if "?" in path else "?"
        address = f"https://management.azure.com{path}{sign}api-version={version or _version(path)}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.browser.ask(method, address, token=self._token, body=body, headers=named)
        return _read(*answer)

    async def follow(self, url: str) -> Answer:
        """Ask for the place that a header named."""
        path = url.removeprefix("https://").partition("/")[2]
        address = f"https://management.azure.com/{path}"
        return _read(*await self.browser.ask("GET", address, token=self._token))

    def place(self, path: str) -> str:
        """The full path of one that lies in the twin's resource group, or in a group of its own."""
        subscription = f"/subscriptions/{self.twin.azure.subscription_id}"
        if path.startswith(("/subscriptions", "/providers", "/tenants", "/metadata")):
            return path
        if path.startswith(("resourceGroups/", "locations", "resources", "providers/")):
            return f"{subscription}/{path}"
        return f"{subscription}/resourceGroups/{RESOURCE_GROUP}/providers/{path}"

    async def ended(self, started: Answer) -> Answer:
        """The last answer of the operation that a change began."""
        answer = await self.follow(started.headers["Azure-AsyncOperation"])
        while answer.body["status"] == "InProgress":
            answer = await self.follow(started.headers["Azure-AsyncOperation"])
        return answer


def _read(status: int, body: object, headers: dict[str, str]) -> Answer:
    return Answer(status, body, CIMultiDict(headers))


def _version(path: str) -> str:
    namespace = path.rpartition("/providers/")[2].partition("/")[0]
    default = "2024-05-01" if "/providers/" in path else "2024-07-01"
    return VERSIONS.get(namespace, default)
