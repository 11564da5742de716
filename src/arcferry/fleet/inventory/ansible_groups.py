"""Ansible's groups, hosts and variables, and which variable counts for a host."""

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from arcferry.errors import FileInputError
from arcferry.fleet.inventory.rows import MOST_ROWS
from arcferry.text import quoted, whole

TOP = ("all", "ungrouped")
_RANGE = re.compile(r"\[([0-9A-Za-z]*):([0-9A-Za-z]*)(?::([0-9]{1,6}))?\]")
_IN_BRACKETS = re.compile(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]")
_PORT = re.compile(r"(?P<name>(?:[^:\[\]]|\[[^\]]*\])+):(?P<port>[0-9]{1,5})")
_HIGHEST = 999_999_999
_MOST_GROUPS = 20_000
_MOST_NAMED = 10 * MOST_ROWS
_MOST_RANGES = 6


@dataclass(frozen=True, slots=True)
class Value:
    """A variable's value as it was written.

    Attributes:
        sealed: whether it is encrypted (Ansible Vault), or a template that only Ansible fills in.
        pairs: the value of a variable that is a mapping of texts.
        plain: whether it is a text, and neither a list nor a mapping.
    """

    text: str
    line: int
    sealed: bool = False
    pairs: Mapping[str, str] | None = None
    plain: bool = True


Variables = dict[str, Value]


@dataclass(slots=True)
class _Group:
    line: int
    children: dict[str, int] = field(default_factory=dict)
    hosts: dict[str, int] = field(default_factory=dict)
    variables: Variables = field(default_factory=dict)


def is_sealed(text: str) -> bool:
    """Whether only Ansible knows what a text means."""
    return text.startswith("$ANSIBLE_VAULT") or "{{" in text or "{%" in text


class Groups:
    """An inventory of Ansible's as it is read; a host may be in many groups.

    Attributes:
        path: the file.
        complete: whether nothing but the file is about its hosts.
    """

    def __init__(self, path: Path, *, complete: bool = False) -> None:
        self.path = path
        self.complete = complete
        self._groups = {name: _Group(0) for name in TOP}
        self._hosts: dict[str, Variables] = {}
        self._lines: dict[str, int] = {}
        self._named = 0

    def __contains__(self, group: str) -> bool:
        """Whether a group is there, and not only variables for one."""
        return group in TOP or (group in self._groups and self._groups[group].line > 0)

    def add(self, group: str, line: int) -> None:
        """Add a group; one that is there stays as it is.

        Raises:
            FileInputError: there are too many.
        """
        found = self._groups.setdefault(group, _Group(line))
        found.line = found.line or line
        if len(self._groups) > _MOST_GROUPS:
            raise FileInputError(self.path, f"more than {_MOST_GROUPS:,} groups", line=line)

    def add_child(self, group: str, child: str, line: int) -> None:
        """Put a group into another; both are added where they are not there."""
        self.add(group, line)
        self.add(child, line)
        self._groups[group].children[child] = line

    def set_variable(self, group: str, name: str, value: Value) -> None:
        """Set a variable of a group, which need not be there yet."""
        self._groups.setdefault(group, _Group(0)).variables[name] = value

    def add_hosts(self, group: str, pattern: str, variables: Variables, line: int) -> None:
        """Put the hosts that a pattern stands for into a group, with variables of their own.

        Raises:
            FileInputError: the pattern has no meaning, or stands for too many.
        """
        self.add(group, line)
        found = _PORT.fullmatch(pattern)
        port = {"ansible_port": Value(found["port"], line)} if found else {}
        for name in self._expanded(found["name"] if found else pattern, line):
            self.add_host(group, name, port | variables, line)

    def add_host(self, group: str, name: str, variables: Variables, line: int) -> None:
        """Put the host of this very name into a group, with variables of its own.

        Raises:
            FileInputError: there are too many.
        """
        self._groups[group].hosts[name] = line
        self._lines.setdefault(name, line)
        self._hosts.setdefault(name, {}).update(variables)
        self._named += 1
        if len(self._hosts) > MOST_ROWS or self._named > _MOST_NAMED:
            raise FileInputError(self.path, f"more than {MOST_ROWS:,} hosts", line=line)

    def hosts(self) -> Iterator[tuple[str, int, Variables]]:
        """Each host in the file's order, with its line and the variables that count for it.

        Raises:
            FileInputError: a group is within itself.
        """
        depths = self._depths()
        groups_of: dict[str, set[str]] = {name: {"all"} for name in self._hosts}
        above = self._above(depths)
        for group, content in self._groups.items():
            for host in content.hosts:
                groups_of[host] |= above[group]
        # Many hosts are in the same groups: what those say is put together once.
        known: dict[frozenset[str], Variables] = {}
        for host, own in self._hosts.items():
            key = frozenset(groups_of[host])
            if len(key) > len(TOP):
                key -= {"ungrouped"}
            if key not in known:
                known[key] = self._merged(sorted(key, key=lambda name: self._rank(name, depths)))
            yield host, self._lines[host], known[key] | own

    def _merged(self, groups: Iterable[str]) -> Variables:
        found: Variables = {}
        for name in groups:
            found.update(self._groups[name].variables)
        return found

    def _rank(self, name: str, depths: Mapping[str, int]) -> tuple[int, int, str]:
        """A later group's variables count: the deeper one's, the one of higher priority, then by name."""
        priority = self._groups[name].variables.get("ansible_group_priority")
        number = whole(priority.text, most=_HIGHEST) if priority else 1
        return depths[name], 1 if number is None else number, name

    def _depths(self) -> dict[str, int]:
        """How deep each group lies, by the longest way to it from `all`."""
        depths = {name: 0 if name == "all" else 1 for name in self._groups}
        waiting = dict.fromkeys(self._groups, 0)
        for group in self._groups.values():
            for child in group.children:
                waiting[child] += 1
        ready = [name for name, parents in waiting.items() if not parents]
        for name in ready:
            for child in self._groups[name].children:
                depths[child] = max(depths[child], depths[name] + 1)
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        if len(ready) < len(self._groups):
            stuck = next(name for name, parents in waiting.items() if parents)
            says = f"group {quoted(stuck)} is within itself"
            raise FileInputError(self.path, says, line=self._groups[stuck].line or None)
        return depths

    def _above(self, depths: Mapping[str, int]) -> dict[str, set[str]]:
        """Each group with every group that it is in."""
        above = {name: {name} for name in self._groups}
        for name in sorted(self._groups, key=lambda one: depths[one]):
            for child in self._groups[name].children:
                above[child] |= above[name]
        return above

    def _expanded(self, pattern: str, line: int) -> Iterator[str]:
        """The names that `web[01:20]` stands for."""
        found = _RANGE.search(pattern)
        if _IN_BRACKETS.fullmatch(pattern):
            yield pattern[1:-1]
            return
        if found is None or pattern.count("[") > _MOST_RANGES:
            if "[" in pattern or "]" in pattern:
                says = f"host {quoted(pattern)} has brackets that are no range such as [01:20]"
                raise FileInputError(self.path, says, line=line)
            yield pattern
            return
        head, tail = pattern[: found.start()], pattern[found.end() :]
        for part in self._steps(found, line):
            yield from (f"{head}{part}{rest}" for rest in self._rests(tail, line))

    def _rests(self, tail: str, line: int) -> Iterator[str]:
        if "[" in tail:
            yield from self._expanded(tail, line)
        else:
            yield tail

    def _steps(self, found: re.Match[str], line: int) -> Iterable[str]:
        begin, end, step = found[1] or "0", found[2], int(found[3] or 1)
        letters = string.ascii_letters
        says = f"range {quoted(found[0])} "
        if not end or not step:
            raise FileInputError(self.path, says + "says no end, or no step", line=line)
        first, last = whole(begin, most=_HIGHEST), whole(end, most=_HIGHEST)
        if first is not None and last is not None:
            wide = len(begin) if begin[0] == "0" and len(begin) > 1 else 0
            if wide and len(end) != wide:
                raise FileInputError(self.path, says + "begins and ends with unlike lengths", line=line)
            numbers: Iterable[str] = (str(number).zfill(wide) for number in range(first, last + 1, step))
        elif len(begin) == len(end) == 1 and begin in letters and end in letters:
            first, last = letters.index(begin), letters.index(end)
            numbers = letters[first : last + 1 : step]
        else:
            raise FileInputError(self.path, says + "is neither of numbers nor of letters", line=line)
        if first > last:
            raise FileInputError(self.path, says + "ends before it begins", line=line)
        return numbers
