"""Coverage-guided fuzzing of every reader of what people hand in, and of what follows from it.

`make fuzz` runs it, for FUZZ_RUNS inputs.

Atheris (libFuzzer for Python) keeps what reaches new code. Half of its inputs it mutates by itself. The
others are transcripts, spliced from the samples of the tests: prompts, commands, what tools print, JSON and
logs, cut, wrapped, quoted and encoded as consoles and mail do. It stops at anything but a FileInputError, at
a document that a reader did not foresee, at lines that redaction loses, at an input that takes more than a
second of processor time a megabyte beside what any takes to begin with, and at 2 GiB. Options that begin with
a dash go to libFuzzer; `-seed=1` repeats a run, and a file in place of options runs that input alone. At the
end it says how many inputs there were (number_of_executed_units).
"""

import json
import random
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["arcferry"]):
    from arcferry.catalog import cloud
    from arcferry.diagnosis import judge
    from arcferry.errors import FileInputError, InputError
    from arcferry.evidence.case import Document, Kind
    from arcferry.evidence.readers import archive
    from arcferry.evidence.reading import read_claimed, read_document
    from arcferry.redaction import mask, redact, redact_json
    from arcferry.report import as_json
    from arcferry.routing.azure_json import read_community_list, read_service_tags
    from arcferry.routing.circuit import read_circuit
    from arcferry.routing.route_filter import read_route_filter
    from arcferry.routing.tables import read_route_table

TESTS = Path(__file__).parents[1] / "tests"
BESIDE = TESTS.parents[1] / "shared" / "cases"
SAMPLES = (TESTS / "cases", TESTS / "routing" / "tables" / "cases", TESTS / "evidence" / "readers", BESIDE)
LONGEST = 8 * 1024
A_SECOND = 1_000_000
"""Bytes that may take a second of processor time."""
TO_BEGIN = 0.25
"""Seconds that an input of any length may take, instrumented as it is."""
CLOUD = cloud("AzureCloud")
PROMPTS = (
    "PS C:\\Users\\admin> {}",
    "C:\\Windows\\system32>{}",
    "[root@srv01 ~]# {}",
    "admin@srv02:~$ {}",
    "edge01#{}",
    "netops@mx1> {}",
    "<edge-hw>{}",
    "    ~ $ {}",
    "{}",
)
COMMANDS = (
    "azcmagent check --location eastasia",
    "azcmagent show",
    "azcmagent connect --service-principal-secret Zq8~kV3.xW7_pLm2 --location eastasia",
    "nslookup gbl.his.arc.azure.com",
    "Resolve-DnsName gbl.his.arc.azure.com",
    "curl -v https://gbl.his.arc.azure.com",
    "az network route-filter show --resource-group rg --name filter --output json",
    "show ip bgp regexp _12076_",
    "show ip bgp 20.187.194.204",
    "show route 20.187.194.204",
    "show route receive-protocol bgp 192.0.2.1 detail",
    "get router info bgp network",
    "netsh winhttp show proxy",
    "tracert -d 20.187.194.204",
    "Test-NetConnection gbl.his.arc.azure.com -Port 443",
    "systemctl status himdsd",
)


HALF, MOSTLY = 0.5, 0.8


class FoundError(Exception):
    """What must not be: it ends the run."""


def document(name: str, data: bytes) -> tuple[Document, ...]:
    """What a file is. Users get a document that says so where a reader failed; here it is a failure."""
    found = read_document(name, data)
    for one in found:
        if one.kind is Kind.UNREADABLE and any("foresaw" in note or "in time" in note for note in one.notes):
            raise FoundError(f"{one.name}: {'; '.join(one.notes)}")
    return found


def claimed(name: str, data: bytes) -> None:
    """What a host handed in, which is never an error."""
    read_claimed(name, data)


def diagnosed(name: str, data: bytes) -> None:
    """The whole way, and what the JSON of it says read again, as another machine would."""
    told = json.dumps(as_json.findings(judge(document(name, data)))).encode()
    judge(document("again.json", told))


def redacted(_name: str, data: bytes) -> None:
    """Credentials taken out; every line stays at its place."""
    text = data.decode("utf-8", errors="replace")
    for hide in (redact, mask, redact_json):
        if (hidden := hide(text)).count("\n") != text.count("\n"):
            raise FoundError(f"{hide.__name__} moved lines: {hidden!r}")


def as_value(read: Callable[[object, str], object]) -> Callable[[str, bytes], object]:
    """A reader of parsed JSON, given bytes; what is no JSON is not its business."""

    def parsed(name: str, data: bytes) -> object:
        with suppress(ValueError, RecursionError):
            return read(json.loads(data), name)
        return None

    return parsed


TARGETS: tuple[Callable[[str, bytes], object], ...] = (
    document,
    read_route_table,
    diagnosed,
    claimed,
    redacted,
    as_value(read_service_tags),
    as_value(read_community_list),
    as_value(read_route_filter),
    as_value(read_circuit),
)
TEXTS, ALL = range(5), range(len(TARGETS))


def one_input(data: bytes) -> None:
    """The first byte chooses the reader, the rest is the file."""
    if not data:
        return
    target = TARGETS[data[0] % len(TARGETS)]
    if _spent(target, data[1:]) > _allowed(data) and not archive.looks_right(data[1:]):  # it has limits
        again = min(_spent(target, data[1:]) for _ in range(3))  # an interruption is no fault of the input's
        if again > _allowed(data):
            raise FoundError(f"{again:.2f} s for {len(data):,} bytes")


def _allowed(data: bytes) -> float:
    return TO_BEGIN + len(data) / A_SECOND


def _spent(target: Callable[[str, bytes], object], data: bytes) -> float:
    began = time.process_time()
    with suppress(FileInputError, InputError):
        target("fuzz.txt", data)
    return time.process_time() - began


def samples() -> list[Path]:
    """Every sample of the tests, and of the cases beside the checkout, that is short enough."""
    found = [path for place in SAMPLES for path in sorted(place.rglob("*")) if path.is_file()]
    return [path for path in found if path.suffix not in (".py", ".toml") and path.stat().st_size <= LONGEST]


def seeds(folder: Path) -> None:
    """Each sample, for each reader that may take its kind."""
    for number, path in enumerate(samples()):
        for target in ALL if path.suffix == ".json" else TEXTS:
            (folder / f"{number}-{target}").write_bytes(bytes([target]) + path.read_bytes())


PIECES = tuple(
    text for path in samples() if "\0" not in (text := path.read_bytes().decode("utf-8", "replace"))
)


def a_transcript(data: bytes, longest: int, seed: int) -> bytes:
    """Half of the time what libFuzzer makes of it, else a paste of parts of samples and of the input."""
    chance = random.Random(seed)  # noqa: S311  # libFuzzer's own seed, so that a run can be repeated
    if not data or chance.random() < HALF:
        return bytes(atheris.Mutate(data, longest))
    own = data[1:].decode("utf-8", errors="replace")
    parts = [_part(one, chance) for one in (own, *chance.choices(PIECES, k=chance.randint(1, 3)))]
    chance.shuffle(parts)
    text = _deformed("\n".join(parts), chance)
    code = chance.choices(("utf-8", "utf-8-sig", "utf-16", "big5"), (90, 4, 4, 2))[0]
    kind = data[0] if chance.random() < MOSTLY else chance.choice(TEXTS)
    return (bytes([kind]) + text.encode(code, errors="replace"))[:longest]


def _part(text: str, chance: random.Random) -> str:
    """Some of it in a row, as it is copied, perhaps below the prompt and command that printed it."""
    lines = text.splitlines()
    begin = chance.randint(0, max(0, len(lines) - 1)) if chance.random() < HALF else 0
    lines = lines[begin : begin + chance.choice((1, 2, 3, 5, 10, 20, 60))]
    if chance.random() < HALF:
        lines.insert(0, chance.choice(PROMPTS).format(chance.choice(COMMANDS)))
    return "\n".join(lines)


def _deformed(text: str, chance: random.Random) -> str:
    """Once in a while, as consoles, mail, tickets and chats leave it."""
    ways: Sequence[Callable[[str], str]] = (
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\n".join(
            line[at : at + 80] for line in text.split("\n") for at in range(0, len(line) or 1, 80)
        ),
        lambda text: textwrap.indent(text, chance.choice(("> ", "    ", "| ", "2026-11-28T06:00:00Z "))),
        json.dumps,
        lambda text: json.dumps({"output": text, "code": chance.randint(-1, 70)}),
        lambda text: text[: chance.randint(0, len(text))],
        lambda text: "\n".join(line for line in text.split("\n") if chance.random() < MOSTLY),
        lambda text: text.replace("https://", ""),
        lambda text: text.replace("  ", " "),
        lambda text: f"```\n{text}\n```",
    )
    for way in chance.sample(ways, k=chance.choice((0, 0, 1, 1, 2, 3))):
        text = way(text)
    return text


def main() -> None:
    """Seed a corpus in a folder of its own, and run until an input fails or the runs are over."""
    with tempfile.TemporaryDirectory(prefix="arcferry-fuzz-") as place:
        seeds(Path(place))
        options = [
            f"-max_len={LONGEST}",
            "-timeout=10",
            "-print_final_stats=1",
            "-rss_limit_mb=2048",
            f"-artifact_prefix={Path.cwd()}/",
        ]
        alone = [one for one in sys.argv[1:] if not one.startswith("-")]
        corpus = [] if alone else [place]
        atheris.Setup([sys.argv[0], *corpus, *options, *sys.argv[1:]], one_input, custom_mutator=a_transcript)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
