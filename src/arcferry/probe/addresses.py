from ipaddress import ip_address, ip_network

_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


def is_private(address: str) -> bool:
    """Whether an address is for private networks (RFC 1918, RFC 4193), as a private endpoint's is.

    Narrower than `ipaddress`' own `is_private`, which also counts loopback and documentation ranges.
    """
    value = ip_address(address)
    return any(value in network for network in _PRIVATE)
