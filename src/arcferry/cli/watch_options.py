"""What a watch is told to do, whether it runs now or is installed, and who is told of what it sees."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, get_type_hints

import typer

from arcferry.cli import options
from arcferry.cli.options import option
from arcferry.errors import InputError
from arcferry.text import quoted

if TYPE_CHECKING:
    from arcferry.catalog import Cloud, Region
    from arcferry.probe.step import ProbeSettings
    from arcferry.watch.changes import Notice, Round
    from arcferry.watch.notifiers.message import Notifier
    from arcferry.watch.watcher import Notify

NOTIFYING = "Telling others"
LONGEST_INTERVAL = timedelta(days=1)
_LONGEST_NOTIFYING = timedelta(minutes=5)
_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, kw_only=True)
class WatchOptions:
    """What is watched, through what, how often, and who is told."""

    location: options.OptionalLocationOption = None
    location_unlisted: options.UnlistedOption = False
    cloud: options.CloudOption = options.DEFAULT_CLOUD
    every: Annotated[str, option("--every TIME", "From round to round, such as 30s, 5m or 1h.")] = "5m"
    resolver: options.ResolversOption = None
    evidence: options.WithOption = None
    proxy: options.ProxyOption = field(default=None, repr=False)
    ca_file: options.CaFileOption = None
    port: options.PortOption = None
    notify: Annotated[
        list[str] | None,
        option(
            "--notify WHAT",
            "Tell of each change: command:PATH (JSON on its standard input), syslog, syslog:udp://HOST, "
            "eventlog (Windows), https://… (JSON by POST), smtp://HOST or smtps://HOST (mail), "
            "textfile:PATH.prom (Prometheus), or file:PATH, which holds one of these. May be repeated.",
            panel=NOTIFYING,
        ),
    ] = None
    notify_within: Annotated[
        str, option("--notify-within TIME", "How long each may take after a round.", panel=NOTIFYING)
    ] = "30s"
    alive_every: Annotated[
        str | None,
        option(
            "--alive-every TIME",
            "Also tell them this often that rounds are taken, such as 1h or 1d; metrics say it always.",
            panel=NOTIFYING,
        ),
    ] = None
    mail_from: Annotated[str, option("--mail-from ADDRESS", "From whom mail is.", panel=NOTIFYING)] = ""
    mail_to: Annotated[
        list[str] | None,
        option("--mail-to ADDRESS", "To whom mail goes; may be repeated.", panel=NOTIFYING),
    ] = None

    def target(self) -> "tuple[Cloud, Region]":
        """The cloud and the region that are watched.

        Raises:
            InputError: none is named, or there is none of that name.
        """
        from arcferry import catalog

        if not self.location:
            raise InputError("which location is to be watched?", hint="Give --location, such as eastasia.")
        cloud = catalog.cloud(self.cloud)
        return cloud, options.region_of(self.location, cloud, unlisted=self.location_unlisted)

    def sites(self) -> "dict[str, tuple[ProbeSettings, Sequence[str]]]":
        """Of each site how endpoints are reached, by its first resolver, and which are asked beside it.

        Raises:
            InputError: a setting cannot be used.
        """
        from arcferry.probe.step import ProbeSettings
        from arcferry.watch.sites import by_site

        found: dict[str, tuple[ProbeSettings, Sequence[str]]] = {}
        for site, resolvers in by_site(self.resolver or ()).items():
            for one in resolvers:
                ProbeSettings(resolver=one)
            first = resolvers[0] if resolvers else None
            settings = ProbeSettings(resolver=first, proxy=self.proxy, ca_file=self.ca_file, port=self.port)
            found[site] = settings, resolvers[1:]
        return found

    def words(self) -> Iterator[str]:
        """The words of a command line that say the same; what is as it would be without them is left out."""
        hints = get_type_hints(WatchOptions, include_extras=True)
        for one in fields(self):
            value, declared = getattr(self, one.name), hints[one.name].__metadata__[0]
            # As typer keeps it: what stands first in `Annotated` is held for a default.
            name = str(declared.default)
            if value is True:
                yield name
            elif value != one.default:
                for single in value if isinstance(value, list) else [value]:
                    yield from (name, str(single))

    @property
    def interval(self) -> timedelta:
        """The time from round to round."""
        return duration(self.every, longest=LONGEST_INTERVAL)

    def notifiers(self) -> "list[Notifier]":
        """Everybody who is to be told.

        Raises:
            InputError: one of them cannot be.
        """
        from arcferry.watch.notifiers.named import Besides, notifier

        besides = Besides(self.mail_from, self.mail_to or (), self.ca_file)
        return [notifier(what, besides) for what in self.notify or ()]

    def notifying(self) -> "Notify | None":
        """What tells everybody after a round, and says on stderr whom it could not tell; None for nobody.

        Raises:
            InputError: one of them cannot be told, or a time is none.
        """
        from arcferry.report.watch_message import told
        from arcferry.watch.notifiers.delivery import Delivery

        every = self.interval
        within = duration(self.notify_within, longest=_LONGEST_NOTIFYING).total_seconds()
        alive = duration(self.alive_every) if self.alive_every else None
        notifiers = self.notifiers()
        if not notifiers:
            return None
        delivery = Delivery(notifiers, seconds=within, alive_every=alive)

        async def tell(sites: "Sequence[tuple[Round, Sequence[Notice]]]") -> "Sequence[Notice]":
            failed = await delivery.deliver(told(sites, every))
            for notice in failed:
                typer.echo(f"{'warning' if notice.level == 'FAIL' else 'note'}: {notice.says}", err=True)
            return failed

        return tell


def duration(text: str, *, longest: timedelta | None = None) -> timedelta:
    """A time that was typed: a second at least, and not longer than `longest`."""
    found = _DURATION.fullmatch(text.strip().lower())
    length = timedelta(seconds=int(found[1]) * _SECONDS[found[2]] if found else 0)
    if not length or (longest and length > longest):
        bounds = f" between 1s and {_written(longest)}" if longest else ""
        hint = "Give a number with s, m, h or d, such as 5m or 7d."
        raise InputError(f"{quoted(text)} is no time{bounds}", hint=hint)
    return length


def _written(length: timedelta) -> str:
    return f"{length.days}d" if length.days else f"{length.seconds // 60}m"
