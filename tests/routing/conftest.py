import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from arcferry.routing.azure_json import CommunityList, ServiceTags, read_community_list, read_service_tags
from arcferry.routing.route_filter import RouteFilter, read_route_filter

SHARED = Path(__file__).parents[3] / "shared"


@cache
def _document(path: Path) -> object:
    return json.loads(path.read_text())


@pytest.fixture
def shared_json() -> Callable[[str], object]:
    """Parsed JSON of a shared file; skips by its name where it is not there."""

    def read(name: str) -> object:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"{name} is not beside the checkout")
        return _document(path)

    return read


@cache
def _tags(name: str) -> ServiceTags:
    return read_service_tags(_document(SHARED / "data" / name), name)


@pytest.fixture
def public_tags(shared_json: Callable[[str], object]) -> ServiceTags:
    name = "ServiceTags_Public_20251028.json"
    shared_json(f"data/{name}")
    return _tags(name)


@pytest.fixture
def list_of_2019(shared_json: Callable[[str], object]) -> CommunityList:
    name = "bgp-service-communities-2019-05-30.json"
    return read_community_list(shared_json(f"data/{name}"), name)


@pytest.fixture
def case_filter(shared_json: Callable[[str], object]) -> RouteFilter:
    return read_route_filter(shared_json("cases/eastasia-2024/route-filter.json"), "route-filter.json")
