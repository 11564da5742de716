"""Azure's error bodies: ARM's `{"error": …}` and Entra's flat document with its AADSTS number."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from aiohttp import web


class ArmError(Exception):
    """An error answer of ARM, raised anywhere in a handler and turned into its body by the app."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: dict[str, str] | None = None,
        *,
        details: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.details = details

    def response(self) -> web.Response:
        """The HTTP answer."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = [{"code": code, "message": message} for code, message in self.details]
        body = {"error": error}
        return web.json_response(body, status=self.status, headers=self.headers)


class EntraError(Exception):
    """An error answer of Entra's token endpoint.

    Attributes:
        error: the OAuth code, such as `invalid_client`.
        number: the AADSTS number.
    """

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.number = number
        self.message = message

    def response(self, correlation: str = "") -> web.Response:
        """The HTTP answer, with fresh trace and correlation ids."""
        trace, correlation = str(uuid4()), correlation or str(uuid4())
        stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        text = (
            f"AADSTS{self.number}: {self.message} "
            f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        )
        body = {
            "error": self.error,
            "error_description": text,
            "error_codes": [self.number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
        }
        return web.json_response(body, status=self.status)


def group_not_found(name: str) -> ArmError:
    """No such resource group."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def resource_not_found(kind: str, name: str, group: str) -> ArmError:
    """No such resource in this group."""
    return ArmError(
        404, "ResourceNotFound", f"The resource '{kind}/{name}' under resource group '{group}' was not found."
    )
