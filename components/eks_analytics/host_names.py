"""The seven names of a Dash Enterprise. Pure, and light: whatever speaks of them need not wait for a TLS library."""

HOST_PREFIXES = ("api", "ws", "git", "registry", "auth", "admin")
"""Dash Enterprise joins them to its base domain with a hyphen."""
LONGEST_PREFIX = max(HOST_PREFIXES, key=len)


def host_names(base_domain: str) -> list[str]:
    """The seven names of one Dash Enterprise: its base domain and the six that are joined to it with a hyphen."""
    return [base_domain, *(f"{prefix}-{base_domain}" for prefix in HOST_PREFIXES)]
