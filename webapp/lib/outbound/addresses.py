"""Which addresses may be called: public ones, and private ones that the operator lists by host and port.

Python's own `is_global` calls NAT64, 6to4 and multicast addresses global, and `is_private` misses the carrier's
range 100.64.0.0/10; hence lists of our own.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Collection
from typing import Any, Final

from webapp.lib.outbound.errors import OutboundError, Trouble

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SocketAddress = tuple[socket.AddressFamily, Any]

# Never called, not even when listed: where clouds keep their machines' credentials, and what is no single host.
_NEVER: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",
            "100.100.100.200/32",  # Alibaba Cloud's metadata
            "168.63.129.16/32",  # Azure's host
            "169.254.0.0/16",
            "192.0.0.192/32",  # Oracle Cloud's metadata, of old
            "224.0.0.0/4",
            "240.0.0.0/4",
            "::/128",
            "fd00:ec2::/32",  # Amazon's metadata
            "fd20:ce::/32",  # Google's metadata
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
            # These carry an IPv4 address inside, which would escape the rules for it.
            "::ffff:0:0:0/96",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "2001::/32",
            "2002::/16",
        ),
    )
)
# Called only when listed.
_PRIVATE: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "::/96",
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "3fff::/20",
            "5f00::/16",
            "fc00::/7",
        ),
    )
)


def may_call(text: str, *, listed: bool = False) -> bool:
    """Tell whether an address may be called; `listed` says that the operator lists its host and port."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    if any(address in network for network in _PRIVATE if network.version == address.version):
        return listed
    return address.is_global or listed


def is_listed(host: str, port: int, allow_hosts: Collection[str]) -> bool:
    """Tell whether `host:port` is on the list; IPv6 addresses stand in brackets there."""
    host = host.strip("[]").lower().rstrip(".")
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return name in {entry.strip().lower() for entry in allow_hosts}


def resolve(host: str, port: int, allow_hosts: Collection[str], seconds: float) -> list[SocketAddress]:
    """Return where to connect; raises OutboundError if the name is unknown or any of its addresses is forbidden."""
    listed = is_listed(host, port, allow_hosts)
    found = _lookup(host.strip("[]"), port, seconds)
    for _family, where in found:
        if not may_call(where[0], listed=listed):
            raise OutboundError(Trouble.FORBIDDEN, f"{host} has the address {where[0]}, which is not called")
    return found


def _lookup(host: str, port: int, seconds: float) -> list[SocketAddress]:
    """Ask the resolver, in a thread of its own because it knows no time-out."""
    found: list[SocketAddress] = []
    faults: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            for family, _kind, _protocol, _name, where in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            ):
                found.append((family, where))
        except (OSError, UnicodeError) as fault:
            faults.append(fault)

    try:
        ipaddress.ip_address(host.partition("%")[0])
        ask()
    except ValueError:
        thread = threading.Thread(target=ask, name="resolver", daemon=True)
        thread.start()
        thread.join(seconds)
    if faults:
        raise OutboundError(Trouble.UNREACHABLE, f"{host}: {faults[0]}")
    if not found:
        raise OutboundError(Trouble.CONNECT_TIMEOUT, f"{host}: no answer from the name server")
    return list(found)
