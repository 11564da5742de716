"""Faults that only routing can produce, as the router and a host of the company see them."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.lab.network.namespaces.conftest import Lab

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.xdist_group("namespaces")]
LOGIN = "login.microsoftonline.com"
ENTRA, HOME = "20.190.128.0/18", "20.187.192.0/21"


@contextmanager
def fault(lab: Lab, name: str, host: str = "") -> Iterator[None]:
    lab.ask("POST", "/faults", name=name, host=host)
    try:
        yield
    finally:
        lab.ask("DELETE", "/faults", name=name, host=host)


def answers(lab: Lab, name: str = LOGIN) -> bool:
    """Whether a host gets an answer over HTTPS, whose certificates are believed."""
    command = ("curl", "--silent", "--max-time", "2", "--output", "/dev/null", f"https://{name}/")
    return lab.here("host1", *command).returncode == 0


def test_all_is_well_at_first(lab: Lab) -> None:
    assert answers(lab)
    table = lab.routes()
    assert "msee_primary" in table
    assert "msee_secondary" in table
    assert lab.routes("filtered").count("/") == 0


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("tcp/asymmetric-return", ""),
        ("tcp/nat-prefix-not-validated", ""),
        ("tcp/large-packets-lost", ""),
        ("tcp/filtered", LOGIN),
        ("tcp/refused", LOGIN),
        ("route/another-path-preferred", LOGIN),
    ],
)
def test_routes_stay_and_packets_do_not_pass(lab: Lab, name: str, host: str) -> None:
    with fault(lab, name, host):
        assert "(12076,5060)" in lab.routes()
        assert not answers(lab)
    assert answers(lab)


@pytest.mark.parametrize("name", ["route/session-down", "route/peering-down", "route/empty-route-filter"])
def test_without_routes_nothing_passes(lab: Lab, name: str) -> None:
    with fault(lab, name):
        assert "12076" not in lab.routes()
        assert not answers(lab)
    assert answers(lab)


def test_one_link_is_enough(lab: Lab) -> None:
    with fault(lab, "route/one-link-down"):
        table = lab.routes()
        assert "msee_secondary" in table
        assert "msee_primary" not in table
        assert answers(lab)


def test_without_a_link_those_names_fall_that_were_foretold(lab: Lab, tmp_path: Path) -> None:
    with fault(lab, "route/on-primary-alone", LOGIN):
        assert answers(lab), "the primary link carries it"
        found = foretold(lab, tmp_path)
        assert found["falls_without"]["secondary"] == []
        assert LOGIN in found["falls_without"]["primary"]
        (alone,) = found["on_one_path_alone"]
        assert (alone["path"], alone["prefixes"]) == ("primary", [ENTRA])
        before = lab.unreached()
        with fault(lab, "route/one-link-down"):
            assert lab.unreached() - before == set(found["falls_without"]["primary"])


@pytest.mark.timeout(300)
def test_a_watch_tells_of_a_lost_link_what_was_foretold_and_of_its_return(lab: Lab, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with fault(lab, "route/on-primary-alone", LOGIN):
        watched(lab, state, "FAIL")
        falls = set(foretold(lab, tmp_path)["falls_without"]["primary"])
        with fault(lab, "route/one-link-down"):
            assert watched(lab, state, "FAIL") == falls
        assert watched(lab, state, "ok") == falls


def watched(lab: Lab, state: Path, level: str) -> set[str]:
    """The endpoints that one round of a watch on a host tells of at this level."""
    command = (sys.executable, "-m", "arcferry", "watch", "--location", "eastasia", "--rounds", "1")
    out = lab.on("host1", *command, "--state", str(state), "--output", "jsonl", code=None)
    rows = [json.loads(line) for line in out.splitlines()]
    assert "watch-round" in {row["kind"] for row in rows}, out
    return {row["host"] for row in rows if row["kind"] == "watch-notice" and row["level"] == level}


def foretold(lab: Lab, folder: Path) -> dict[str, Any]:
    """What `circuits show` tells by what the router has from each link, and by where the names answer."""
    files = []
    for link in ("primary", "secondary"):
        dump = folder / f"{link}.txt"
        capture = lab.ask("GET", "/routes", what="received", link=link)["capture"]
        dump.write_text(capture, encoding="utf-8")
        files += [f"--{link}", str(dump)]
    (folder / "check.json").write_text(lab.check_text(), encoding="utf-8")
    names = ("route_filter_file", "service_tags_file", "communities_file", "circuit_file")
    for file in (folder / "check.json", *(lab.document()[name] for name in names)):
        files += ["--with", str(file)]
    command = ("circuits", "show", *files, "--location", "eastasia", "--output", "json")
    return dict(json.loads(lab.arcferry(*command, code=1)))


def test_the_company_rejects_what_it_received(lab: Lab) -> None:
    with fault(lab, "route/filtered-by-own-policy"):
        assert HOME in lab.routes("received")
        assert HOME in lab.routes("filtered")
        assert HOME not in lab.routes()
        assert ENTRA in lab.routes()


def test_microsoft_does_not_advertise_one_prefix(lab: Lab) -> None:
    with fault(lab, "route/not-received", LOGIN):
        assert ENTRA not in lab.routes("received")
        assert HOME in lab.routes("received")


def test_ipv6_has_no_way(lab: Lab) -> None:
    with fault(lab, "route/ipv6-not-peered", LOGIN):
        assert "2603:" in lab.here("host1", "getent", "ahosts", LOGIN).stdout
        assert not answers(lab)
    assert "20.190.128.1" in lab.here("host1", "getent", "ahosts", LOGIN).stdout


def test_a_host_has_its_own_network_resolver_and_name(lab: Lab) -> None:
    assert "10.20.1.2" in lab.here("host1", "hostname", "-I").stdout
    assert "nameserver 10.20.0.53" in lab.here("host1", "cat", "/etc/resolv.conf").stdout
    assert lab.here("host2", "hostname").stdout.strip() == "host2"


def test_exec_passes_the_exit_code(lab: Lab) -> None:
    lab.on("host1", "sh", "-c", "exit 7", code=7)
    assert "unknown host" in lab.on("host9", "true", code=2)
    lab.on("host1", "no-such-program", code=127)
