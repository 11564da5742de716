"""What a WinRM service is set to: as `winrm get winrm/config` shows it."""

from dataclasses import dataclass

from arcferry_lab.hosts.windows.accounts import Account

_UNLIMITED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class WinRmSettings:
    r"""The service of a Server 2016 or newer that nobody changed.

    Values are those of `winrm get winrm/config` there.

    Attributes:
        https: whether there is a listener on 5986, too; Windows has none until somebody makes it.
        negotiate: whether NTLM and Kerberos are taken; a policy can turn them off.
        basic: whether passwords are taken as they are; over TLS alone, whatever `allow_unencrypted` says.
        certificate: whether client certificates are taken.
        allow_unencrypted: whether a message over HTTP may go as plain text.
        token_filter: LocalAccountTokenFilterPolicy is 0, so that a local administrator is none from afar.
        language: of the system, in which faults speak.
        silent: takes connections and requests, and never answers.
        chatter: bytes that each command writes first.
        huge: bytes that each answer with output holds besides, whatever the client said of its limit.
    """

    https: bool = True
    negotiate: bool = True
    basic: bool = False
    certificate: bool = False
    allow_unencrypted: bool = False
    token_filter: bool = True
    language: str = "en-US"
    max_envelope_kb: int = 500
    max_timeout_ms: int = 60_000
    max_operations_per_user: int = 1500
    idle_timeout_ms: int = 7_200_000
    max_memory_per_shell_mb: int = _UNLIMITED
    max_shells_per_user: int = _UNLIMITED
    silent: bool = False
    chatter: int = 0
    huge: int = 0

    def may_manage(self, account: Account) -> bool:
        """Whether the command shell is open to an account: to administrators alone."""
        return account.administrator and bool(account.domain or account.built_in or not self.token_filter)
