"""The table of rights as Markdown, for docs/rights.md and the letters of `arcferry prepare`."""

from collections.abc import Iterator

from arcferry.rights.tasks import Rights, Task, rights


def rights_page() -> str:
    """Every task with its rights."""
    known = rights()
    return "\n".join((*_overview(known), *(line for task in known.task for line in _section(task))))


def rights_table(task: Task) -> str:
    """The rights of one task, a row each."""
    rows = (f"| `{right.action}` | {right.by} | {right.why} |" for right in task.rights)
    return "\n".join(("| right | used by | what for |", "|---|---|---|", *rows))


def _overview(known: Rights) -> Iterator[str]:
    yield "| task | what it does | assign it on | least of Microsoft's roles |"
    yield "|---|---|---|---|"
    for task in known.task:
        yield f"| [{task.name}](#{task.name}) | {task.title} | {task.scope.words} | {task.role} |"


def _section(task: Task) -> Iterator[str]:
    commands = ", ".join(f"`{command}`" for command in task.commands)
    yield from ("", f"### {task.name}", "", f"{task.title}: {commands}.", "", rights_table(task), "")
    yield f"Microsoft's *{task.role}* (`{task.role_id}`) is {task.fit}."
