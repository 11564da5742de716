from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.catalog import store
from arcferry.data.catalogue import looks_right, read_catalogue
from arcferry.data.kinds import recognise
from arcferry.data.store import HeldKind, Store, adopt_held
from arcferry.errors import FileInputError

OWN = (Path(store.__file__).with_name("data") / "endpoints.toml").read_text(encoding="utf-8")
HOST = "agentserviceapi.guestconfiguration.azure.com"
NEWER = OWN.replace("taken = 2026-04-01", "taken = 2026-11-01", 1).replace(
    HOST, "new.guestconfiguration.azure.com"
)
PUBLIC = catalog.cloud("public")
EAST_ASIA = catalog.region("eastasia")


@pytest.fixture(autouse=True)
def own_catalogue() -> Iterator[None]:
    yield
    catalog.disown()


def hosts() -> set[str]:
    return {endpoint.host for endpoint in catalog.endpoints(PUBLIC, EAST_ASIA)}


def test_arcferrys_own_catalogue_is_a_good_one() -> None:
    read = read_catalogue("endpoints.toml", OWN.encode())
    assert looks_right(OWN.encode())
    assert read.taken == store.built_in("endpoints").source.taken
    assert read.entries > 50


def test_a_newer_one_is_held_and_used(tmp_path: Path) -> None:
    folder = Store(tmp_path)
    assert HOST in hosts()
    held = folder.put(*recognise(NEWER.encode(), "endpoints.toml"))
    assert (held.kind, held.taken) == (HeldKind.ENDPOINTS, date(2026, 11, 1))
    assert adopt_held(folder) == held
    assert "new.guestconfiguration.azure.com" in hosts()
    assert HOST not in hosts()
    assert catalog.endpoint_named("new.guestconfiguration.azure.com") is not None
    catalog.disown()
    assert HOST in hosts()


def test_one_by_columns_as_older_bundles_carry_it_is_read_too(tmp_path: Path) -> None:
    head = OWN.partition("AzureCloud = [")[0].replace("taken = 2026-04-01", "taken = 2026-11-02", 1)
    row = "['new.his.arc.azure.com', 'always', true, true, 'none-known', 'arc', ['esu'], 'docs', 'a purpose']"
    columns = (
        "['host', 'when', 'required', 'private_link', 'steering', 'carrier', 'features', 'source', 'purpose']"
    )
    clouds = "\n".join(f"{cloud.name} = [\n  {row},\n]" for cloud in catalog.clouds())
    folder = Store(tmp_path)
    folder.put(*recognise(f"{head}columns = {columns}\n{clouds}\n".encode(), "endpoints.toml"))
    assert adopt_held(folder) is not None
    assert hosts() == {"new.his.arc.azure.com"}


def test_one_that_is_not_newer_is_not_used(tmp_path: Path) -> None:
    folder = Store(tmp_path)
    folder.put(*recognise(OWN.encode(), "endpoints.toml"))
    assert adopt_held(folder) is None
    assert HOST in hosts()


def test_without_one_nothing_happens(tmp_path: Path) -> None:
    assert adopt_held(Store(tmp_path / "missing")) is None


def test_one_for_another_version_is_refused_and_not_used(tmp_path: Path) -> None:
    folder = Store(tmp_path)
    held = folder.put(*recognise(NEWER.encode(), "endpoints.toml"))
    held.path.write_text(NEWER.replace("purpose = ", "why = "))
    with pytest.raises(FileInputError, match="not what was taken in"):
        adopt_held(folder)
    assert HOST in hosts()


FIRST = (
    f"{{ host = '{HOST}', when = 'always', required = true, private_link = true, "
    "steering = 'traffic-manager', carrier = 'arc', features = ['esu'], source = 'docs', "
)
BAD = {
    "no TOML": ("AzureCloud = [", "AzureCloud = [[", "no TOML"),
    "other names": ("purpose = 'guest", "why = 'guest", r"AzureCloud\[0\]\.purpose: Field required"),
    "no day": ("taken = 2026-04-01", "taken = 'today'", "taken: Input should be a valid date"),
    "no moment": (FIRST, FIRST.replace("always", "sometimes"), r"AzureCloud\[0\]\.when"),
    "no boolean": (FIRST, FIRST.replace("true", "'yes'", 1), r"AzureCloud\[0\]\.required"),
    "no host": (FIRST, FIRST.replace(HOST, "https://x/"), r"AzureCloud\[0\]\.host"),
    "a line feed": (FIRST, FIRST.replace(f"'{HOST}'", '"a.example\\n"'), r"AzureCloud\[0\]\.host"),
    "an unknown carrier": (FIRST, FIRST.replace("'arc'", "'sea'"), r"AzureCloud\[0\]\.carrier"),
    "an unknown source": (FIRST, FIRST.replace("'docs'", "'rumour'"), "'rumour' is not among the sources"),
    "no moment at all": (
        FIRST,
        FIRST.replace("when = 'always', ", ""),
        r"AzureCloud\[0\]\.when: Field required",
    ),
    "an end before its begin": (
        FIRST,
        f"{FIRST}since = 2027-01-01, until = 2026-01-01, ",
        r"AzureCloud\[0\]: it ends before it begins",
    ),
    "no row by name": (FIRST, "[1], " + FIRST, r"AzureCloud\[0\]: Input should be a valid dictionary"),
    "an empty cloud": ("AzureChinaCloud = [", "AzureChinaCloud = []\nother = [", "AzureChinaCloud: expected"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_one_is_refused_whole_and_its_place_named(tmp_path: Path, case: str) -> None:
    old, new, problem = BAD[case]
    assert old in OWN
    with pytest.raises(FileInputError, match=problem) as caught:
        Store(tmp_path).put(*recognise(OWN.replace(old, new, 1).encode(), "endpoints.toml"))
    assert caught.value.message.startswith("endpoints.toml: ")
    assert not list(tmp_path.iterdir())
