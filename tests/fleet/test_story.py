"""The story told to its end: connected, a name moves, who must act, the letter, and all is well again."""

import pytest
from tests.fleet.story import Story, told_to_its_end

from .conftest import Fleet


@pytest.mark.lab
@pytest.mark.hosts
@pytest.mark.timeout(400)
async def test_from_a_good_day_to_the_change_that_helps(fleet: Fleet) -> None:
    if (fleet.twin.network.resolver.rpartition(":")[2], fleet.twin.network.port) != ("53", 443):
        pytest.skip("ports 53 and 443 cannot be had here, so that hosts cannot measure their path")
    await told_to_its_end(Story(fleet, ("server01", "server02")))
