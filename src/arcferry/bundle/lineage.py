from arcferry.bundle.manifest import AgentPackage, Manifest, PackageFormat, Role

_SAME_ARCHITECTURE = {"x86_64": "amd64", "x64": "amd64", "aarch64": "arm64", "noarch": "all"}
_TARGETS = "requirements/"


def lineage(manifest: Manifest) -> tuple[str, ...]:
    """The kinds of servers that a bundle is for, sorted: system, distribution and processor of each.

    Where nobody said for which distribution a Linux package is, its format stands there. For a bundle of
    arcferry itself it is each Python and platform. All of it is what the seal covers, so whoever renames a
    bundle changes nothing.
    """
    return tuple(sorted({kind for agent in manifest.agents for kind in _kinds(agent)} | _targets(manifest)))


def _kinds(agent: AgentPackage) -> set[str]:
    processor = same_architecture(agent.architecture) or "any"
    if agent.format is PackageFormat.MSI:
        return {f"Windows {processor}"}
    return {f"Linux {one} {processor}" for one in agent.distributions or (agent.format.value,)}


def _targets(manifest: Manifest) -> set[str]:
    listed = (file.name for file in manifest.files if file.role is Role.INSTALLER)
    return {name.removeprefix(_TARGETS).removesuffix(".txt") for name in listed if name.startswith(_TARGETS)}


def same_architecture(name: str) -> str:
    """One name for a processor that package formats spell differently."""
    return _SAME_ARCHITECTURE.get(name.lower(), name.lower())
