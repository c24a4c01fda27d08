"""Whether an address belongs to this machine, where generator and target compete."""

import socket
from ipaddress import ip_address


def is_of_this_machine(address: str) -> bool:
    """Ask the system from which address it would send there; nothing is sent.

    For an address of its own, that is the address itself. False where there is no route.
    """
    parsed = ip_address(address)
    if parsed.is_loopback:
        return True
    family = socket.AF_INET6 if parsed.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return bool(ip_address(probe.getsockname()[0]) == parsed)
    except OSError:
        return False
