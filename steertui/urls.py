"""URLs of servers: normal form, host, port, and the URLs that are refused."""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_PORTS = {"http": 80, "https": 443}

_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


def normalise_url(url: str) -> str:
    """Return the URL in normal form.

    Scheme and host are in lower case; the host's trailing dot, the scheme's default port and
    trailing slashes are removed. Of an invalid URL only the trailing slashes are removed.
    """
    url = url.rstrip("/")
    if is_invalid_url(url):
        return url
    parts = urlsplit(url)
    host = host_of(url)
    shown = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port not in (None, _PORTS[parts.scheme]) else ""
    return f"{parts.scheme}://{shown}{port}{parts.path}"


def is_invalid_url(url: str) -> bool:
    """Whether it is not an HTTP URL, or one that programs might parse differently.

    That applies to characters outside printable ASCII, backslashes, and hosts that end in a number
    without being an IPv4 address of four decimal numbers.
    """
    if not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        return True
    try:
        parts = urlsplit(url)
        return parts.scheme not in _PORTS or parts.port == 0 or not _is_host(url)
    except ValueError:
        return True


def host_of(url: str) -> str:
    """Return the URL's host in lower case, without a trailing dot or brackets."""
    return (urlsplit(url).hostname or "").removesuffix(".")


def port_of(url: str) -> int:
    """Return the URL's port, or the scheme's default port."""
    parts = urlsplit(url)
    return parts.port or _PORTS[parts.scheme]


def _is_host(url: str) -> bool:
    host = host_of(url)
    try:
        ip_address(host)
    except ValueError:
        is_number = bool(_NUMBER.fullmatch(host.rpartition(".")[2]))
        return bool(_HOST.fullmatch(host)) and not is_number
    return True


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine: localhost, 127.0.0.0/8 or ::1."""
    host = host_of(url)
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def is_proxied(url: str) -> bool:
    """Whether the environment or the system sends requests to the URL through a proxy."""
    proxies = getproxies()
    scheme = urlsplit(url).scheme
    return bool(proxies.get(scheme) or proxies.get("all")) and not proxy_bypass(host_of(url))


def has_secret(url: str) -> bool:
    """Whether a URL has a user name, password, query or fragment, which must not be stored."""
    return any(mark in url for mark in "@?#")
