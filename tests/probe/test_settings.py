from pathlib import Path

import pytest

from arcferry.errors import FileInputError, InputError
from arcferry.probe.step import Nameserver, ProbeSettings
from arcferry.probe.tls import read_certificates


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("10.0.0.53", "10.0.0.53", 53),
        ("10.0.0.53:5353", "10.0.0.53", 5353),
        ("fd00::53", "fd00::53", 53),
        ("[fd00::53]", "fd00::53", 53),
        ("[fd00::53]:5353", "fd00::53", 5353),
    ],
)
def test_resolver(text: str, address: str, port: int) -> None:
    assert ProbeSettings(resolver=text).nameserver == Nameserver(address, port)


@pytest.mark.parametrize(
    "text", ["dns.example", "10.0.0.53:99999", "10.0.0.53:x", "10.0.0", "[fd00::53", "user@10.0.0.1/"]
)
def test_resolver_refused(text: str) -> None:
    with pytest.raises(InputError, match="resolver"):
        ProbeSettings(resolver=text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://proxy.example:8080", "http://proxy.example:8080"),
        ("http://proxy.example/", "http://proxy.example:80"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://[fd00::1]:8080", "http://[fd00::1]:8080"),
    ],
)
def test_proxy(text: str, url: str) -> None:
    assert str(ProbeSettings(proxy=text).http_proxy) == url


@pytest.mark.parametrize(
    "text", ["https://proxy.example", "socks5://x:1", "http://", "http://x:0x", "http://x/path", "http://x?q"]
)
def test_proxy_refused(text: str) -> None:
    with pytest.raises(InputError, match="HTTP proxy's URL"):
        ProbeSettings(proxy=text)


@pytest.mark.parametrize(
    "text",
    [
        "http://someone:canary-7@proxy.example:8080",
        "someone:canary-7@proxy",
        "https://canary-7@x",
        "http:/x:canary-7@y:z",
    ],
)
def test_proxy_credentials_are_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(InputError) as caught:
        ProbeSettings(proxy=text)
    told = caught.value.message + caught.value.hint + repr(caught.value)
    assert "canary-7" not in told
    assert "does not support" in told
    assert "command line" in told


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_port_refused(port: int) -> None:
    with pytest.raises(InputError, match="port"):
        ProbeSettings(port=port)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
        b"\x00" * 100,
    ],
)
def test_a_ca_file_without_certificate_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    with pytest.raises(FileInputError, match=r"ca\.pem: holds no certificate"):
        read_certificates(path)


def test_a_missing_ca_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileInputError, match="no such file"):
        read_certificates(tmp_path / "absent.pem")
