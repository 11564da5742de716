"""What connected servers are used for, as far as the network decides it, and the ways of connecting them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from arcferry.catalog.requirements import features
from arcferry.catalog.store import Cloud, Endpoint, Source, load
from arcferry.errors import UnknownNameError
from arcferry.language import _, together

ALL_FEATURES = "all"
_HTTPS = 443
_GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that people do with a connected server; see the head of `data/features.toml`.

    Attributes:
        name: as `--features` takes it.
        title: as Microsoft calls it.
        says: what Microsoft says that a list of names does not show.
        source: where that is said.
        instead: what to do about the names that Microsoft peering does not carry; maybe empty.
        private: the private endpoint, other than Azure Arc's own scope, that can serve its names.
        uses: features that it needs besides.
        clouds: where Microsoft offers it; empty for everywhere.
        undecided: why it cannot be told whether this path suffices; else empty.
    """

    name: str
    title: str
    says: str
    source: Source
    instead: str = ""
    private: str = ""
    uses: tuple[str, ...] = ()
    clouds: tuple[str, ...] = ()
    undecided: str = ""

    @property
    def told(self) -> str:
        """What Microsoft says of it, and where, for a reader."""
        return _("{title}: {says} ({source})", title=_(self.title), says=_(self.says), source=self.source)

    def is_offered_in(self, cloud: Cloud) -> bool:
        """Whether Microsoft offers it in this cloud, as far as is known."""
        return not self.clouds or cloud.name in self.clouds


@cache
def known_features() -> tuple[Feature, ...]:
    """Every feature that `arcferry features` has a row for."""
    return tuple(
        Feature(
            **{
                **{key: value for key, value in row.items() if key != "taken"},
                "source": Source(row["source"], row["taken"]),
                "uses": tuple(row.get("uses", ())),
                "clouds": tuple(row.get("clouds", ())),
            }
        )
        for row in load("features").content["features"]
    )


def chosen_features(cloud: Cloud, wanted: Iterable[str]) -> tuple[str, ...]:
    """The features of `--features`: each text has one or several, with commas between; `all` is every one.

    What a feature needs besides, such as `extensions`, is chosen with it.

    Raises:
        UnknownNameError: there is no such feature.
    """
    known = {one.name: one for one in known_features()}
    offered = [name for name, one in known.items() if one.is_offered_in(cloud)]
    found: dict[str, None] = {}
    for name in (part.strip().lower() for text in wanted for part in text.split(",")):
        if name and name not in {ALL_FEATURES, *known, *features()}:
            raise UnknownNameError("feature", name, sorted({ALL_FEATURES, *known, *features()}))
        for one in offered if name == ALL_FEATURES else [name] if name else []:
            found[one] = None
            found |= dict.fromkeys(_uses(known, one))
    return tuple(found)


def _uses(known: dict[str, Feature], name: str) -> Iterator[str]:
    for one in known[name].uses if name in known else ():
        yield one
        yield from _uses(known, one)


def left_out(cloud: Cloud, chosen: Iterable[str]) -> tuple[str, ...]:
    """The titles of what Microsoft offers in this cloud and was not chosen."""
    rest = {*chosen}
    return tuple(one.title for one in known_features() if one.name not in rest and one.is_offered_in(cloud))


def says_left_out(cloud: Cloud, chosen: Iterable[str]) -> str:
    """What a plan or a sheet has to say first of what it lacks."""
    titles = left_out(cloud, chosen)
    if not titles:
        return _("contains every feature that arcferry knows")
    return _("does not contain {names}", names=together(map(_, titles)))


@dataclass(frozen=True, slots=True)
class Alternative:
    """A way of bringing servers without internet into Azure Arc; see the head of `data/alternatives.toml`.

    Attributes:
        carries: the rule by which it carries names: `peering`, `private-link`, `gateway` or `proxy`.
        stage: what Microsoft calls it: generally available, or a preview.
        internet: whether servers, or what stands before them, need a way to the internet.
        says: Microsoft's word on it, and source where.
        costs: what its price hangs on.
        limits: what Microsoft says it cannot do.
        clouds: where it is offered; empty for everywhere.
        forwards: names that the Arc gateway brings through itself.
    """

    name: str
    title: str
    carries: str
    stage: str
    internet: str
    says: str
    source: Source
    costs: str
    limits: str
    clouds: tuple[str, ...] = ()
    forwards: tuple[str, ...] = ()

    def is_offered_in(self, cloud: Cloud) -> bool:
        """Whether Microsoft offers it in this cloud, as far as is known."""
        return not self.clouds or cloud.name in self.clouds

    def brings(self, endpoint: Endpoint) -> str:
        """Whether it carries this name: `yes`, `no`, `unknown`, or `own endpoint` of its service's."""
        match self.carries:
            case "proxy":
                return "yes"
            case "private-link":
                own = any(one.private and one.name in endpoint.features for one in known_features())
                return "yes" if endpoint.private_link else "own endpoint" if own else "no"
            case "gateway":
                port = "" if endpoint.port == _HTTPS else f":{endpoint.port}"
                listed = any(fnmatchcase(f"{endpoint.host}{port}", pattern) for pattern in self.forwards)
                return "yes" if listed and _GATEWAY not in endpoint.features else "no"
            case _:
                return "unknown" if endpoint.place_is_unknown else "no" if endpoint.at_the_edge else "yes"


def alternatives() -> tuple[Alternative, ...]:
    """Every way, Microsoft peering first."""
    return tuple(
        Alternative(
            **{
                **{key: value for key, value in row.items() if key != "taken"},
                "source": Source(row["source"], row["taken"]),
                "clouds": tuple(row.get("clouds", ())),
                "forwards": tuple(row.get("forwards", ())),
            }
        )
        for row in load("alternatives").content["ways"]
    )
