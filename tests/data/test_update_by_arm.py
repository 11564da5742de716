"""Service tags by Resource Manager, of the twin: when they are asked for, their day, and what they lack."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from tests.data.test_update import PUBLIC, TAGS, error_of, sign_in

from arcferry import times
from arcferry.data import download
from arcferry.data.kinds import recognise
from arcferry.data.store import Held, HeldKind, Store, documents
from arcferry.data.update import Origin, Status, UpdateRequest, UpdateResult, update
from arcferry.errors import BlockedError, InputError, PermissionDeniedError
from arcferry_lab.twin import Twin

pytestmark = pytest.mark.lab
NOBODY = "https://127.0.0.1:1"
AS_OF = times.now().date() - download.BEHIND


async def by_arm(
    store: Store, twin: Twin, *, role: str = "reader", origin: Origin | None = Origin.ARM, **more: object
) -> UpdateResult:
    settings = {"cloud": PUBLIC, "kinds": TAGS, "site": NOBODY, "ca_file": twin.paths.ca, "origin": origin}
    request = UpdateRequest(**(settings | {"sign_in": sign_in(twin, role)} | more))  # type: ignore[arg-type]  # by name
    (found,) = await update(store, request)
    return found


def hold_file(store: Store, twin: Twin, days: int, *, without: str = "", change: int = 401) -> Held:
    """The twin's tags as the weekly file of so many days ago."""
    day = times.now().date() - timedelta(days=days)
    rows = [row for row in twin.azure.service_tags["values"] if row["name"] != without]
    data = json.dumps(twin.azure.service_tags | {"values": rows, "changeNumber": change}).encode()
    return store.put(*recognise(data, f"ServiceTags_Public_{day:%Y%m%d}.json"))


def forget(twin: Twin, name: str) -> None:
    """Let Resource Manager lack a tag."""
    rows = [row for row in twin.azure.service_tags["values"] if row["name"] != name]
    twin.azure.service_tags = twin.azure.service_tags | {"values": rows}


async def test_they_come_with_the_day_for_which_they_are_sure_to_hold(store: Store, twin: Twin) -> None:
    found = await by_arm(store, twin)
    assert found.status is Status.NEW
    assert found.held is not None
    assert (found.held.taken, found.held.cloud, found.held.change_number) == (AS_OF, "AzureCloud", 1)
    assert "/providers/Microsoft.Network/locations/" in found.held.source
    assert "no such file is held to compare them with" in found.notes[0]
    (document,) = documents(store, PUBLIC)
    assert document.service_tags is not None
    assert document.service_tags.taken == AS_OF
    assert len(document.service_tags.prefixes) == found.held.prefixes > 0
    assert (await by_arm(store, twin)).status is Status.UNCHANGED


async def test_every_page_is_read_and_no_link_leads_away(store: Store, twin: Twin) -> None:
    twin.azure.page = 5
    found = await by_arm(store, twin)
    assert found.held is not None
    assert found.held.entries == len(twin.azure.service_tags["values"])
    pages = [call for call in twin.azure.journal if "serviceTags" in call.path]
    assert len(pages) == -(-found.held.entries // 5) > 1


async def test_where_the_page_does_not_answer_resource_manager_is_asked(store: Store, twin: Twin) -> None:
    found = await by_arm(store, twin, origin=None)
    assert found.status is Status.NEW
    assert f"asked of Resource Manager, because {NOBODY}" in found.notes[0]
    assert "no answer" in found.notes[0]


async def test_the_page_alone_is_asked_where_that_is_wanted(store: Store, twin: Twin) -> None:
    assert "no answer" in error_of(await by_arm(store, twin, origin=Origin.PAGE)).message
    assert not [call for call in twin.azure.journal if "serviceTags" in call.path]
    with pytest.raises(InputError, match="sign-in"):
        await by_arm(store, twin, sign_in=None)


async def test_where_neither_gives_them_both_reasons_are_told_and_the_right_is_named(
    store: Store, twin: Twin
) -> None:
    error = error_of(await by_arm(store, twin, role="onboarding", origin=None))
    assert isinstance(error, PermissionDeniedError)
    assert NOBODY in error.message
    assert "Microsoft.Network/locations/serviceTags/read" in error.message + error.hint
    assert "the role “Reader” on the subscription" in error.hint


async def test_what_they_lack_of_a_newer_file_is_told_and_the_file_leads(store: Store, twin: Twin) -> None:
    file = hold_file(store, twin, days=6)
    forget(twin, "AzureCloud.japaneast")
    found = await by_arm(store, twin)
    (says,) = found.notes
    assert f"Resource Manager's change 1 beside change 401 of {file.name}, which are counted apart" in says
    assert "it lacks 1 tag (AzureCloud.japaneast)" in says
    assert f"the held file of {file.taken}, change 401 is newer and leads" in says
    assert store.newest(HeldKind.SERVICE_TAGS, PUBLIC.name)[0] == file


async def test_without_regions_that_an_older_file_has_they_are_not_held(store: Store, twin: Twin) -> None:
    """A poorer list that leads would leave addresses of that region without one."""
    file = hold_file(store, twin, days=40)
    forget(twin, "AzureCloud.japaneast")
    error = error_of(await by_arm(store, twin))
    assert isinstance(error, BlockedError)
    assert "AzureCloud.japaneast" in error.message
    assert "--accept-older" in error.hint
    assert store.held() == (file,)
    assert (await by_arm(store, twin, allow_older=True)).status is Status.NEW


async def test_richer_than_an_old_file_they_lead(store: Store, twin: Twin) -> None:
    hold_file(store, twin, days=40, without="ServiceBus")
    (says,) = (await by_arm(store, twin)).notes
    assert "it has " in says
    assert "that the file lacks; they lead" in says
    assert store.newest(HeldKind.SERVICE_TAGS, PUBLIC.name)[0].taken == AS_OF


async def test_the_same_tags_are_told_to_be_the_same(store: Store, twin: Twin, make: SimpleNamespace) -> None:
    hold_file(store, twin, days=40)
    assert "the same tags and prefixes; they lead" in (await by_arm(store, twin)).notes[0]
