"""Options that belong together, as one dataclass of a command."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, TypeVar, get_type_hints

Result = TypeVar("Result")


def grouped(command: Callable[..., Result]) -> Callable[..., Result]:
    """The same command for typer, with the fields of its dataclasses in their place as options of its own."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if is_dataclass(kind) and isinstance(kind, type)}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name in groups:
            parameters += _options(groups[parameter.name])
        else:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))

    @wraps(command)
    def called(*given: Any, **named: Any) -> Result:  # noqa: ANN401  # as typer calls it
        for name, kind in groups.items():
            named[name] = kind(**{one.name: named.pop(one.name) for one in fields(kind)})
        return command(*given, **named)

    # Typer reads both; a dataclass in either it would refuse.
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect's own protocol
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called


def _options(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if one.default is MISSING else one.default,
            annotation=hints[one.name],
        )
        for one in fields(group)
    ]
