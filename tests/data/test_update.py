"""`data update` over real sockets: HTTPS servers with a CA of their own, a CONNECT proxy, and the twin."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import web
from tests.azure.conftest import aim

from arcferry import azure, catalog, times
from arcferry.data.kinds import recognise
from arcferry.data.store import HeldKind, Store
from arcferry.data.update import SignIn, Status, UpdateRequest, UpdateResult, update
from arcferry.errors import (
    ArcferryError,
    AzureError,
    AzureUnavailableError,
    BlockedError,
    FileInputError,
    InputError,
    NotFoundError,
    PermissionDeniedError,
)
from arcferry_lab.azure.ids import CIRCUIT
from arcferry_lab.azure.state import ROUTE_FILTER, CannedResponse
from arcferry_lab.pki import Authority
from arcferry_lab.twin import Twin

PUBLIC = catalog.cloud("public")
PAGE = "/en-us/download/details.aspx"
TAGS = (HeldKind.SERVICE_TAGS,)
WEEK = "ServiceTags_Public_20261116.json"


@dataclass
class Site:
    """A download site on loopback."""

    url: str = ""
    answers: dict[str, Callable[[web.Request], web.Response]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        found = self.answers.get(request.path)
        return found(request) if found else web.Response(status=404)

    def page(self, *links: str) -> None:
        body = "".join(f'<a href="{link}">download</a>' for link in links)
        self.answers[PAGE] = lambda _: web.Response(text=f"<html>{body}</html>", content_type="text/html")

    def file(self, name: str, data: bytes) -> str:
        self.answers[f"/download/1/2/{name}"] = lambda _: web.Response(body=data)
        return f"{self.url}/download/1/2/{name}"

    def moved(self, path: str, target: str) -> None:
        self.answers[path] = lambda _: web.Response(status=302, headers={"Location": target})


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("a test's own CA")


@pytest.fixture
def ca_file(tmp_path: Path, authority: Authority) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest.fixture
async def site(authority: Authority) -> AsyncIterator[Site]:
    found = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.server_context(["127.0.0.1"]))
    await listener.start()
    found.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


def wanted(site: Site, ca_file: Path | None, **changes: object) -> UpdateRequest:
    settings = {"cloud": PUBLIC, "kinds": TAGS, "site": site.url, "ca_file": ca_file}
    return UpdateRequest(**(settings | changes))  # type: ignore[arg-type]  # settings by name


async def only(store: Store, what: UpdateRequest) -> UpdateResult:
    (found,) = await update(store, what)
    return found


def error_of(outcome: UpdateResult) -> ArcferryError:
    assert outcome.status is Status.FAILED
    assert outcome.error is not None
    return outcome.error


async def test_the_newest_file_of_the_cloud_is_taken(
    store: Store, site: Site, ca_file: Path, make: SimpleNamespace
) -> None:
    newest = site.file(WEEK, make.tags(9))
    site.page(
        site.file("ServiceTags_China_20261123.json", make.tags(1, "China")),
        site.file("ServiceTags_Public_20261109.json", make.tags(8)),
        newest,
        "https://download.microsoft.com/other.json",
    )
    found = await only(store, wanted(site, ca_file))
    assert found.status is Status.NEW
    assert found.held is not None
    assert (found.held.taken, found.held.change_number, found.held.source) == (date(2026, 11, 16), 9, newest)
    assert site.asked == [f"{PAGE}?id=56519", f"/download/1/2/{WEEK}"]
    assert (await only(store, wanted(site, ca_file))).status is Status.UNCHANGED
    assert len(store.held()) == 1


@pytest.mark.parametrize(
    "case",
    [("AzureUSGovernment", "AzureGovernment", "57063"), ("AzureChinaCloud", "China", "57062")],
)
async def test_each_cloud_has_its_own_page(
    store: Store, site: Site, ca_file: Path, make: SimpleNamespace, case: tuple[str, str, str]
) -> None:
    cloud, name, number = case
    site.page(site.file(f"ServiceTags_{name}_20261116.json", make.tags(9, name)))
    found = await only(store, wanted(site, ca_file, cloud=catalog.cloud(cloud)))
    assert found.held is not None
    assert found.held.cloud == cloud
    assert site.asked[0].endswith(f"?id={number}")


async def test_redirects_are_followed_on_the_same_host(
    store: Store, site: Site, ca_file: Path, make: SimpleNamespace
) -> None:
    site.file(WEEK, make.tags(9))
    site.page(f"{site.url}/first/{WEEK}")
    site.answers["/final"] = site.answers.pop(PAGE)
    site.moved(PAGE, "/final")
    site.moved(f"/first/{WEEK}", f"{site.url}/download/1/2/{WEEK}")
    assert (await only(store, wanted(site, ca_file))).status is Status.NEW


LEADS_AWAY = {
    "another host": "https://files.example/{name}",
    "another port": "https://127.0.0.1:1/{name}",
    "no TLS": "http://127.0.0.1:{port}/{name}",
    "Microsoft without TLS": "http://download.microsoft.com/{name}",
    "Microsoft on another port": "https://download.microsoft.com:8443/{name}",
    "a look-alike": "https://download.microsoft.com.files.example/{name}",
    "a user in front": "https://download.microsoft.com@files.example/{name}",
    "a file": "file:///etc/passwd",
    "no address": "https://[::1/{name}",
}


@pytest.mark.parametrize("case", LEADS_AWAY)
async def test_a_redirect_that_leads_away_is_refused(
    store: Store, site: Site, ca_file: Path, case: str
) -> None:
    target = LEADS_AWAY[case].format(name=WEEK, port=site.url.rpartition(":")[2])
    site.page(f"{site.url}/first/{WEEK}")
    site.moved(f"/first/{WEEK}", target)
    error = error_of(await only(store, wanted(site, ca_file)))
    assert isinstance(error, AzureError)
    assert "none of the addresses that are asked" in error.message or case == "no address"
    assert store.held() == ()


async def test_a_link_that_leads_away_is_refused(store: Store, site: Site, ca_file: Path) -> None:
    site.page(f"https://files.example/{WEEK}")
    assert "https://files.example" in error_of(await only(store, wanted(site, ca_file))).message


async def test_redirects_end(store: Store, site: Site, ca_file: Path) -> None:
    site.moved(PAGE, PAGE)
    assert "more than 5 redirects" in error_of(await only(store, wanted(site, ca_file))).message
    assert len(site.asked) == 6


async def test_a_page_without_a_link_says_what_to_do(store: Store, site: Site, ca_file: Path) -> None:
    site.page("https://download.microsoft.com/other.json")
    error = error_of(await only(store, wanted(site, ca_file)))
    assert "no link to a file ServiceTags_Public_" in error.message
    assert "arcferry data import" in error.hint


async def test_a_missing_page(store: Store, site: Site, ca_file: Path) -> None:
    assert error_of(await only(store, wanted(site, ca_file))).message.endswith("answered 404")


async def test_too_much_is_not_read(
    store: Store, site: Site, ca_file: Path, make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcferry.data.download.FILE_LIMIT", 100)
    site.page(site.file(WEEK, make.tags(9)))
    assert "larger than the 100 bytes" in error_of(await only(store, wanted(site, ca_file))).message


async def test_a_certificate_that_nobody_vouches_for_is_refused(store: Store, site: Site) -> None:
    error = error_of(await only(store, wanted(site, None)))
    assert isinstance(error, AzureUnavailableError)
    assert "TLS failed" in error.message
    assert "--ca-file" in error.hint
    assert site.asked == []


async def test_a_damaged_file_replaces_nothing(
    store: Store, site: Site, ca_file: Path, make: SimpleNamespace
) -> None:
    before = store.put(*recognise(make.tags(8), "ServiceTags_Public_20261109.json"))
    site.page(site.file(WEEK, make.tags(9)[:-20]))
    assert "cut short" in error_of(await only(store, wanted(site, ca_file))).message
    assert store.held() == (before,)


async def test_another_kind_than_was_asked_for_is_refused(
    store: Store, site: Site, ca_file: Path, make: SimpleNamespace
) -> None:
    site.page(site.file(WEEK, make.route_filter("12076:51010")))
    assert "a route filter, not a service tags" in error_of(await only(store, wanted(site, ca_file))).message
    assert store.held() == ()


async def test_an_older_one_is_refused_with_both_days(
    store: Store, site: Site, ca_file: Path, make: SimpleNamespace
) -> None:
    store.put(*recognise(make.tags(9), "ServiceTags_Public_20261123.json"))
    site.page(site.file(WEEK, make.tags(8)))
    error = error_of(await only(store, wanted(site, ca_file)))
    assert isinstance(error, BlockedError)
    assert "2026-11-16, change 8" in error.message
    assert "2026-11-23, change 9" in error.message
    assert "--accept-older" in error.hint
    assert len(store.held()) == 1
    assert (await only(store, wanted(site, ca_file, allow_older=True))).status is Status.NEW
    assert [one.change_number for one in store.held()] == [9, 8]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1", "https://", "127.0.0.1", "https://a:canary@127.0.0.1", "https://[::1"]
)
async def test_a_site_that_is_no_https_address_is_refused(store: Store, url: str) -> None:
    with pytest.raises(InputError, match="--download-url") as caught:
        await update(store, UpdateRequest(PUBLIC, TAGS, url))
    assert "canary" not in caught.value.message


async def test_a_ca_file_without_a_certificate_is_refused(store: Store, site: Site, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("hello")
    for name in ("no.pem", "missing.pem"):
        with pytest.raises(FileInputError, match=name):
            await update(store, wanted(site, tmp_path / name))


@dataclass
class Proxy:
    """A real CONNECT proxy, which may want a sign-in."""

    port: int = 0
    credentials: str = ""
    tunnels: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target, _ = head.split(" ", 2)
            expected = base64.b64encode(self.credentials.encode()).decode()
            if method != "CONNECT" or (self.credentials and f"Basic {expected}" not in head):
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            else:
                self.tunnels.append(target)
                host, _, port = target.rpartition(":")
                far = await asyncio.open_connection(host, int(port))
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_pump(reader, far[1]), _pump(far[0], writer))
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    found = Proxy()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


async def test_through_a_proxy(
    store: Store, site: Site, ca_file: Path, proxy: Proxy, make: SimpleNamespace
) -> None:
    proxy.credentials = "user:canary"
    site.page(site.file(WEEK, make.tags(9)))
    what = wanted(site, ca_file, proxy=f"http://user:canary@127.0.0.1:{proxy.port}")
    assert (await only(store, what)).status is Status.NEW
    assert set(proxy.tunnels) == {site.url.removeprefix("https://")}


async def test_a_proxy_that_refuses_is_named_without_its_password(
    store: Store, site: Site, ca_file: Path, proxy: Proxy
) -> None:
    proxy.credentials = "user:right"
    error = error_of(
        await only(store, wanted(site, ca_file, proxy=f"http://user:canary@127.0.0.1:{proxy.port}"))
    )
    assert "the proxy answered 407" in error.message
    assert "canary" not in f"{error.message}{error.hint}{error!r}"
    assert site.asked == []


async def test_a_proxy_that_is_gone(store: Store, site: Site, ca_file: Path) -> None:
    error = error_of(await only(store, wanted(site, ca_file, proxy="http://user:canary@127.0.0.1:1")))
    assert isinstance(error, AzureUnavailableError)
    assert "canary" not in f"{error.message}{error.hint}"


async def test_a_proxy_that_is_no_url(store: Store, site: Site, ca_file: Path) -> None:
    with pytest.raises(InputError, match="--proxy"):
        await update(store, wanted(site, ca_file, proxy="proxy:8080"))


def sign_in(twin: Twin, role: str = "reader") -> SignIn:
    client = twin.azure.add_client(role)
    return SignIn(aim(twin), azure.with_secret(client.client_id, client.secret))


async def from_twin(
    store: Store, twin: Twin, *, role: str = "reader", **changes: object
) -> tuple[UpdateResult, ...]:
    settings = {"cloud": PUBLIC, "kinds": (HeldKind.COMMUNITY_LIST,), "sign_in": sign_in(twin, role)}
    return await update(store, UpdateRequest(**(settings | changes)))  # type: ignore[arg-type]  # settings by name


@pytest.mark.lab
async def test_communities_come_from_azure_page_by_page(store: Store, twin: Twin) -> None:
    twin.azure.page = 2
    (found,) = await from_twin(store, twin)
    assert found.held is not None
    assert found.held.taken == times.now().date()
    listed = json.loads(store.read(found.held))["value"]
    assert listed == twin.azure.bgp_communities["value"]
    pages = [call for call in twin.azure.journal if "bgpServiceCommunities" in call.path]
    assert len(pages) == -(-len(listed) // 2) > 1


@pytest.mark.lab
async def test_filter_and_circuit_come_from_azure_without_keys(store: Store, twin: Twin) -> None:
    found = await from_twin(store, twin, kinds=(), route_filter=ROUTE_FILTER, circuit=CIRCUIT)
    assert [(one.kind, one.status) for one in found] == [
        (HeldKind.ROUTE_FILTER, Status.NEW),
        (HeldKind.CIRCUIT, Status.NEW),
    ]
    for held in store.held():
        text = store.read(held).decode().lower()
        assert "sharedkey" not in text
        assert "servicekey" not in text


@pytest.mark.lab
async def test_one_that_fails_keeps_no_other_from_being_held(store: Store, twin: Twin) -> None:
    found = await from_twin(store, twin, route_filter="no-such-filter")
    assert [one.status for one in found] == [Status.NEW, Status.FAILED]
    assert isinstance(found[1].error, NotFoundError)
    assert [held.kind for held in store.held()] == [HeldKind.COMMUNITY_LIST]


@pytest.mark.lab
async def test_an_identity_that_may_not_read_is_told_so(store: Store, twin: Twin) -> None:
    found = await from_twin(store, twin, role="onboarding", route_filter=ROUTE_FILTER, circuit=CIRCUIT)
    lacks = {
        f"route filter {ROUTE_FILTER}": "Microsoft.Network/routeFilters/read",
        f"circuit {CIRCUIT}": "Microsoft.Network/expressRouteCircuits/read",
        "the subscription": "Microsoft.Network/bgpServiceCommunities/read",
    }
    for one in found:
        error = error_of(one)
        assert isinstance(error, PermissionDeniedError)
        place = next(place for place, action in lacks.items() if action in error.hint)
        assert f"the role “Reader” on {place}; it lacks {lacks.pop(place)}" in error.hint
        assert "Onboarding" not in error.hint
    assert lacks == {}
    assert store.held() == ()


@pytest.mark.lab
@pytest.mark.parametrize(
    "body", [b"null", b"[1, 2]", b'{"value": null}', b'{"value": [null]}', b"", b"[" * 10**5]
)
async def test_whatever_arm_answers_is_told_and_nothing_is_held(
    store: Store, twin: Twin, body: bytes
) -> None:
    twin.azure.replies["*/providers/Microsoft.Network/*"] = CannedResponse(body)
    found = await from_twin(store, twin, route_filter=ROUTE_FILTER, circuit=CIRCUIT)
    assert [one.status for one in found] == [Status.FAILED] * 3
    assert store.held() == ()


@pytest.mark.lab
async def test_a_provider_that_is_not_registered_is_named_and_left_so(store: Store, twin: Twin) -> None:
    await twin.add_fault("arm/provider-not-registered")
    (found,) = await from_twin(store, twin)
    error = error_of(found)
    assert "not registered for resource provider Microsoft.Network" in error.message
    assert f"--namespace Microsoft.Network --subscription {twin.azure.subscription_id} --wait" in error.hint
    assert [call.method for call in twin.azure.journal if "/providers/" in call.path] == ["GET"]


@pytest.mark.lab
@pytest.mark.parametrize("name", ["", "../x", "a/b", "a?b", "a b", "x" * 90])
async def test_a_name_that_azure_cannot_have_is_refused(store: Store, twin: Twin, name: str) -> None:
    found = await from_twin(store, twin, kinds=(), route_filter=name)
    assert [type(one.error) for one in found] == ([InputError] if name else [])


@pytest.mark.lab
async def test_what_is_no_json_is_an_error_and_no_traceback(store: Store, twin: Twin) -> None:
    twin.azure.faults.add("arm/garbage")
    (found,) = await from_twin(store, twin)
    assert isinstance(error_of(found), AzureError)
