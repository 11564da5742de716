"""Help, and what is wrong with a command line, in the language of whoever reads it: typer's own words."""

import typer

from arcferry.language import ENGLISH, _, spoken
from arcferry.text import without_reprs
from arcferry.translation import translated


class LineError(typer.BadParameter):
    """What is wrong with a line, in the language that is spoken."""

    def format_message(self) -> str:
        """The message alone: typer would put English before it."""
        return self.message


def told(error: typer.BadParameter) -> typer.BadParameter:
    """The error as its reader's language says it, with the headings around it."""
    # Typer writes a wrong value in Python's notation, which doubles the backslashes of a path.
    error.message = without_reprs(error.message)
    if spoken() == ENGLISH or type(error).__name__ == "NoArgsIsHelpError":
        return error
    use_headings()
    return LineError(translated(error.format_message()), ctx=error.ctx)


def use_headings() -> None:
    """Let typer write its headings in the language that is spoken."""
    from typer import rich_utils  # needed where help or an error is shown, and slow

    rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
    rich_utils.OPTIONS_PANEL_TITLE = _("Options")
    rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
    rich_utils.ERRORS_PANEL_TITLE = _("Error")
    rich_utils.DEFAULT_STRING = f"[{_('default')}: {{}}]"
    rich_utils.ENVVAR_STRING = f"[{_('env var')}: {{}}]"
    rich_utils.REQUIRED_LONG_STRING = f"[{_('required')}]"
    rich_utils.RICH_HELP = _("Try [blue]'{command_path} {help_option}'[/] for help.")
