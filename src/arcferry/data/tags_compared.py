"""Service tags as Resource Manager lists them, beside those of a weekly file: what each lacks."""

from dataclasses import dataclass

from arcferry.routing.azure_json import WHOLE_CLOUD, ServiceTags

_REGIONAL = f"{WHOLE_CLOUD}."
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class TagsCompared:
    """What Resource Manager's tags lack of a file's, by content: their change numbers are counted apart.

    Attributes:
        arm: what Resource Manager listed.
        file: the file's.
        lacking: the tags that the file alone has, by name.
        prefixes: how many prefixes of tags that both have stand in the file alone.
        more: how many stand with Resource Manager alone, those of tags of its own among them.
    """

    arm: ServiceTags
    file: ServiceTags
    lacking: tuple[str, ...]
    prefixes: int
    more: int

    @property
    def regions(self) -> tuple[str, ...]:
        """The `AzureCloud` tags of regions that are lacking: without them an address there has no region."""
        return tuple(tag for tag in self.lacking if tag.startswith(_REGIONAL))

    @property
    def says(self) -> str:
        """For a reader: what is lacking, in one sentence."""
        beside = (
            f"Resource Manager's change {self.arm.change_number} beside change {self.file.change_number} of "
            f"{self.file.name}, which are counted apart"
        )
        if not (self.lacking or self.prefixes or self.more):
            return f"{beside}: the same tags and prefixes"
        lacks = []
        if self.lacking:
            named = ", ".join((self.regions or self.lacking)[:_SHOWN])
            rest = ", …" if len(self.lacking) > _SHOWN else ""
            lacks.append(f"{len(self.lacking):,} tag{'s'[: len(self.lacking) > 1]} ({named}{rest})")
        if self.prefixes:
            lacks.append(f"{self.prefixes:,} prefix{'es'[: 2 * (self.prefixes > 1)]} of tags that both have")
        has = f"it has {self.more:,} that the file lacks" if self.more else ""
        lacking = f"it lacks {' and '.join(lacks)}" if lacks else ""
        return f"{beside}: {'; '.join(filter(None, (lacking, has)))}"


def compared(arm: ServiceTags, file: ServiceTags) -> TagsCompared:
    """Resource Manager's tags beside a file's."""
    ours, theirs = _rows(arm), _rows(file)
    mine = {tag for tag, _ in ours}
    lacking = sorted({tag for tag, _ in theirs} - mine)
    older = sum(tag in mine for tag, _ in theirs - ours)
    return TagsCompared(arm, file, tuple(lacking), older, len(ours - theirs))


def _rows(tags: ServiceTags) -> set[tuple[str, int]]:
    return {(tag, key) for key, held in tags.prefixes.entries() for tag, _ in held}
