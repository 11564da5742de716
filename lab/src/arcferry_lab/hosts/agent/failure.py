"""How the agent fails: a number that is both the AZCM code and the process's exit code."""

TITLES = {
    1: "Generic Error",
    2: "Internal Agent Error",
    11: "Interrupted",
    12: "Invalid Access Token",
    16: "Missing Parameter",
    18: "Insufficient Privileges",
    19: "Config File Not Found",
    20: "Invalid Location",
    23: "Invalid Argument",
    26: "Network Error",
    41: "Authentication Error",
    42: "Azure Resource Creation Failed",
    43: "Azure Resource Deletion Failed",
    44: "Azure Resource Already Exists",
    67: "Machine Already Connected",
    81: "Managed Identity Certificate Error",
    102: "Invalid Resource Name",
    106: "Configuration Could Not Be Saved",
}


class AgentError(Exception):
    """A command's end: an AZCM number and the text of the FATAL line."""

    def __init__(self, number: int, detail: str) -> None:
        super().__init__(detail)
        self.number = number
        self.detail = detail

    @property
    def code(self) -> str:
        """Such as `AZCM0026`."""
        return f"AZCM{self.number:04d}"

    @property
    def title(self) -> str:
        """The code's short name."""
        return TITLES.get(self.number, TITLES[1])


class NetworkError(Exception):
    """A name that did not resolve, or a connection that came to nothing; the text says which and where."""
