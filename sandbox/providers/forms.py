"""How AWS writes what it is given: the functions of the column `returned`. Each names its source.

Paths such as `internal/service/…` are those of https://github.com/hashicorp/terraform-provider-aws.
"""

import ipaddress
import re
from typing import Any

from sandbox.providers.protocol import UNKNOWN

_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}


def fully_qualified(domains: list[Any]) -> list[Any]:
    """Route 53 Resolver ends the names of a firewall's list with a dot, `*` too: `internal/service/route53resolver/
    firewall_domain_list.go` hands them on as they come (issues 23543 of terraform-provider-aws and pull request 372
    of braintrustdata/terraform-aws-braintrust-data-plane)."""
    return [name if name is UNKNOWN or name.endswith(".") else f"{name}." for name in domains]


def record_name(name: str) -> str:
    """`StateFunc` of `name` in `internal/service/route53/record.go`."""
    return name.removesuffix(".").lower()


def alias_targets(aliases: list[Any]) -> list[Any]:
    """`normalizeAliasDomainName` and the `DiffSuppressFunc` of `alias.name` in `internal/service/route53/record.go`."""
    return [
        {**alias, "name": record_name(alias["name"])}
        if alias is not UNKNOWN and isinstance(alias.get("name"), str)
        else alias
        for alias in aliases
    ]


def ip_protocol(protocol: str) -> str:
    """`ProtocolForValue` in `internal/service/ec2/vpc_security_group.go`: names for the numbers that have one."""
    return _PROTOCOLS.get(protocol.lower(), protocol.lower())


def cidr(block: str) -> str:
    """EC2 canonicalizes CIDR blocks (botocore's model of `CreateVpc`, `CreateSubnet`, `CreateRoute` and `IpRange`)."""
    try:
        return str(ipaddress.ip_network(block, strict=False))
    except ValueError:
        return block


def key_id(key: str) -> str:
    """`suppressEquivalentKeyARNOrID` in `internal/service/kms/alias.go`: an ARN is as good as an id."""
    return key.rpartition("/")[2]


def without_scheme(url: str) -> str:
    """IAM leaves `https://` out; `suppressOpenIDURL` in `internal/service/iam/openid_connect_provider.go`."""
    return re.sub(r"^https://", "", url)


def without_stream(arn: str) -> str:
    """`internal/service/ec2/vpc_flow_log.go` leaves the `:*` out that CloudWatch puts behind the ARN of a log group."""
    return arn.removesuffix(":*")


def trimmed(text: str) -> str:
    """`StateFunc` of `public_key` in `internal/service/ec2/ec2_key_pair.go`."""
    return text.strip()


def parameter_tier(tier: str) -> str:
    """`DiffSuppressFunc` of `tier` in `internal/service/ssm/parameter.go`: the tier that SSM chose is returned."""
    return "Standard" if tier == "Intelligent-Tiering" else tier
