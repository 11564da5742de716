"""What Resource Manager keeps of changes: documents that clients wrote, and operations that still run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Document = dict[str, Any]
Act = Callable[[], Awaitable[None]]
RUNNING, SUCCEEDED, FAILED = "InProgress", "Succeeded", "Failed"


@dataclass(slots=True)
class LongOperation:
    """A change that goes on after its request was answered.

    Attributes:
        resource: the id of what it changes, in lower case.
        word: what `provisioningState` says meanwhile.
        looks: how often somebody will still find it running.
        finish: what is done at its end.
        error: why it fails, where it does.
    """

    resource: str
    word: str
    looks: int
    finish: Act
    error: Document | None = None
    status: str = RUNNING
    started: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(slots=True)
class ControlPlane:
    """The part of Azure's state that requests to Resource Manager make.

    Attributes:
        documents: resources that the twin did not bring, by their ids in lower case: filters, circuits,
            licenses, extensions. Parents come before what lies in them.
        filter_tags: those of the twin's own filter.
        filter_rule: the name of its rule, empty where a client took the rule away.
        deleted: the ids of the twin's own filter and circuit where they were deleted.
        operations: by their numbers, the oldest first.
        looks: how often a new operation is found running before it ends. Only being looked at moves it,
            so that nothing depends on time.
        retry_after: the seconds that `Retry-After` asks for while an operation runs.
        settles_after: how many requests of a client the fault arm/role-settling refuses.
        refused: how many it has refused, by client.
        throttle_for: for how long the fault arm/throttling refuses everybody, in seconds.
        throttled_until: until when it does.
        graph_quota: how many queries Resource Graph takes of one client in one window of time.
        graph_window: how long that lasts, in seconds.
        graph_used: when each client's window began, and how many queries it has sent in it.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    filter_tags: dict[str, str] = field(default_factory=dict)
    filter_rule: str = "allow"
    deleted: set[str] = field(default_factory=set)
    operations: dict[str, LongOperation] = field(default_factory=dict)
    looks: int = 1
    retry_after: int = 1
    settles_after: int = 3
    refused: dict[str, int] = field(default_factory=dict)
    throttle_for: int = 2
    throttled_until: datetime | None = None
    graph_quota: int = 15
    graph_window: int = 5
    graph_used: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def under(self, place: str) -> list[Document]:
        """The documents in a group or a resource, itself not included."""
        start = place.lower().rstrip("/") + "/"
        return [document for key, document in self.documents.items() if key.startswith(start)]

    def drop(self, place: str) -> None:
        """Forget a document and everything in it."""
        key = place.lower().rstrip("/")
        for one in [one for one in self.documents if one == key or one.startswith(f"{key}/")]:
            del self.documents[one]
        self.deleted.discard(key)

    def provisioning(self, resource: str) -> str:
        """The `provisioningState` of a resource, by the last operation on it."""
        for operation in reversed(self.operations.values()):
            if operation.resource == resource.lower():
                return operation.word if operation.status == RUNNING else operation.status
        return SUCCEEDED

    def running(self, resource: str) -> tuple[str, LongOperation] | None:
        """The operation that a resource is under now, with its number."""
        for number, operation in self.operations.items():
            if operation.resource == resource.lower() and operation.status == RUNNING:
                return number, operation
        return None
