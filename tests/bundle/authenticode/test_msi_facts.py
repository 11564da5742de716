from collections.abc import Callable
from pathlib import Path

import pytest

from arcferry.bundle.packages import PackageFacts, UnusablePackageError, msi

Pack = Callable[..., bytes]
Streams = Callable[..., dict[str, bytes]]
Change = tuple[bytes, bytes]
PROPERTY_TABLE = msi._mangled("Property").encode("utf-16-le")


def stated(path: Path) -> tuple[dict[str, str], str]:
    with path.open("rb") as stream:
        return msi.stated(stream, path.stat().st_size)


def read(path: Path) -> PackageFacts:
    with path.open("rb") as stream:
        return msi.read(stream, path.stat().st_size)


def test_an_msi_tells_what_it_installs(plain_msi: Path) -> None:
    properties, platform = stated(plain_msi)
    assert {
        "ProductName": "Azure Connected Machine Agent",
        "ProductVersion": "1.67.3421.1187",
        "Manufacturer": "Microsoft Corporation",
        "ProductCode": "{0B1F6A51-0D43-4E1B-8E39-0C1C3C0A5A01}",
    }.items() <= properties.items()
    assert platform == "x64"
    assert read(plain_msi) == PackageFacts("1.67.3421.1187", "x64")


@pytest.mark.parametrize(
    ("template", "platform"),
    [(b"x64;", "x64"), (b"AMD64;", "x64"), (b"Intel;", "x86"), (b";1033", "x86"), (b"Arm64;", "arm64")],
)
def test_the_template_tells_the_processor(
    tmp_path: Path, plain_msi: Path, template: bytes, platform: str
) -> None:
    path = changed(tmp_path, plain_msi, (b"x64;1033", template.ljust(8, b"\0")))
    assert stated(path)[1] == platform


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((b"Azure Connected Machine Agent", b"Azure Connected Machine Thief"), "installs 'Azure Conn"),
        (
            (PROPERTY_TABLE, PROPERTY_TABLE[:-2] + b"\x01\x38"),
            "one of the tables that every MSI has is missing",
        ),
        ((bytes.fromhex("84100c00"), bytes.fromhex("86100c00")), "not an installer package"),
    ],
)
def test_another_document_is_refused(tmp_path: Path, plain_msi: Path, change: Change, says: str) -> None:
    with pytest.raises(UnusablePackageError, match=says):
        read(changed(tmp_path, plain_msi, change))


def test_a_broken_off_download_is_refused_at_any_length(tmp_path: Path, plain_msi: Path) -> None:
    whole = plain_msi.read_bytes()
    path = tmp_path / "agent.msi"
    for length in range(8, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(UnusablePackageError, match=r"cut short|is damaged"):
            read(path)


def test_content_beyond_the_end_is_refused(tmp_path: Path, plain_msi: Path) -> None:
    whole = bytearray(plain_msi.read_bytes())
    table = (int.from_bytes(whole[76:80], "little") + 1) * 512
    last = bytes.fromhex("feffffff")
    first = table + 4 * (whole.index(b"MSCF") // 512 - 1)
    # The cabinet's last sector but one is made to be followed by one behind the end.
    end = next(at for at in range(first, table + 512, 4) if whole[at : at + 4] == last)
    whole[end - 4 : end] = (127).to_bytes(4, "little")
    whole[table + 508 : table + 512] = last
    path = tmp_path / "agent.msi"
    path.write_bytes(whole)
    with pytest.raises(UnusablePackageError, match=r"its content goes beyond its end at byte \d"):
        read(path)


def test_a_string_of_64_kb_does_not_shift_the_others(tmp_path: Path, pack: Pack, streams: Streams) -> None:
    path = tmp_path / "agent.msi"
    long = "x" * 70_000
    path.write_bytes(pack(streams({"Long": long, "ProductName": "Agent", "ProductVersion": "1.2"})))
    found, _ = stated(path)
    assert (found["ProductName"], found["ProductVersion"]) == ("Agent", "1.2")


def test_wide_references_are_read(tmp_path: Path, pack: Pack, streams: Streams) -> None:
    path = tmp_path / "agent.msi"
    path.write_bytes(pack(streams({"ProductName": "Agënt", "ProductVersion": "1.2"}, wide=True)))
    assert stated(path)[0]["ProductName"] == "Agënt"


@pytest.mark.parametrize("table", ["_StringPool", "_StringData", "Property"])
def test_tables_that_do_not_fit_each_other_are_refused(
    tmp_path: Path, pack: Pack, streams: Streams, table: str
) -> None:
    whole = streams({"ProductName": "Agent", "ProductVersion": "1.2"})
    name = msi._mangled(table)
    whole[name] = b"\xff" * len(whole[name]) if table != "_StringData" else b""
    path = tmp_path / "agent.msi"
    path.write_bytes(pack(whole))
    with pytest.raises(UnusablePackageError, match="is damaged"):
        stated(path)


def changed(folder: Path, source: Path, change: Change) -> Path:
    whole = source.read_bytes()
    old, new = change
    assert len(old) == len(new)
    assert old in whole
    path = folder / "agent.msi"
    path.write_bytes(whole.replace(old, new))
    return path
