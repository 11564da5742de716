"""Transports: how a host is reached. SSH is the one there is."""

from arcferry.fleet.transport.ssh import Result, SshSession, open_session, place_of
from arcferry.fleet.transport.trust import SshTrust, read_trust

__all__ = ["Result", "SshSession", "SshTrust", "open_session", "place_of", "read_trust"]
