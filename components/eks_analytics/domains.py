"""The domain names that Dash Enterprise, its bootstrap host and its cluster look up. Pure data, in one place.

The vendor's two lists name where connections begin. They say nothing of the names that registries send clients on to,
nor of AWS, nor of the installation's own: those are here too, each marked as ours and with its reason.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlsplit

from .host_names import host_names
from .host_tools import REDIRECTS, SUPPORTING_SOFTWARE, host_tools, urls
from .international_names import letters_fault
from .partitions import partition_of
from .problems import Problem
from .versions import DEFAULT_KUBERNETES_VERSION

INSTALLATION, UPGRADE, LICENSE, RUN_TIME = "installation", "upgrade", "license validation", "run time"
ALL_PHASES = (INSTALLATION, UPGRADE, LICENSE, RUN_TIME)
HOST, CLUSTER, BOTH = "host", "cluster", "both"
VENDOR, OURS, ADDED = "vendor", "ours", "added"
MOST_DOMAINS = 1000
"""In one update of a DNS Firewall domain list, which the AWS provider makes of all of them:
https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_UpdateFirewallDomains.html"""

_HTTPS, _HTTP_TOO, _LOOKED_UP = (443,), (443, 80), (53,)
_IMAGES = (INSTALLATION, UPGRADE)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Domain:
    """One name, or with `*.` all names below one, that is looked up and connected to."""

    name: str
    """`*.example.com` covers every name below example.com, however deep, and not example.com itself."""
    ports: tuple[int, ...]
    """TCP ports connected to; 53 alone for names that are only looked up."""
    purpose: str
    phases: tuple[str, ...]
    """Of "installation", "upgrade", "license validation" and "run time"."""
    used_by: str
    """"host", "cluster" or "both"."""
    source: str
    """"vendor": as the vendor's guide lists it. "ours": what it leaves out. "added": from the configuration."""
    reason: str = ""
    """Of ours: why it is needed on top of the vendor's lists."""


def vendor_domains(base_domain: str) -> list[Domain]:
    """The vendor's lists: 7 for the bootstrap host, 12 for the cluster."""

    def host(name: str, purpose: str) -> Domain:
        return Domain(name, _HTTPS, purpose, (INSTALLATION,), HOST, VENDOR)

    def cluster(name: str, purpose: str, *phases: str, ports: tuple[int, ...] = _HTTPS) -> Domain:
        return Domain(name, ports, purpose, phases, CLUSTER, VENDOR)

    return [
        host("awscli.amazonaws.com", "AWS CLI"),
        host("github.com", "eksctl and cert-manager"),
        host("dl.k8s.io", "kubectl"),
        host("install.istio.io", "Istio"),
        host("kots.io", "KOTS plug-in"),
        host("ubuntu.com", "APT packages of Ubuntu"),
        host("launchpad.net", "APT packages of Debian"),
        cluster("replicated.com", "Validation of the license", INSTALLATION, UPGRADE, LICENSE),
        cluster("proxy.replicated.com", "Private images of Plotly, kept on quay.io", *_IMAGES),
        cluster("registry.opensource.zalan.do", "Image of the Postgres operator", *_IMAGES),
        cluster("ghcr.io", "Images of Harbor", *_IMAGES),
        cluster("gcr.io", "Images of Kpack", *_IMAGES),
        cluster("docker.io", "Images of Kpack", *_IMAGES),
        cluster("quay.io", "Images", *_IMAGES),
        cluster("pypi.org", "Python packages of Dash apps", RUN_TIME),
        cluster("anaconda.org", "Conda packages of Dash apps", RUN_TIME),
        cluster("*.ubuntu.com", "APT packages of Dash apps", RUN_TIME, ports=_HTTP_TOO),
        cluster("*.launchpad.net", "APT packages of Dash apps", RUN_TIME),
        cluster(f"*.{base_domain}", "Registry (Harbor), when images of Dash apps are built", RUN_TIME),
    ]


def allowed_domains(base_domain: str, region: str, *, extra: Sequence[str] = ()) -> list[Domain]:
    """Everything to let through: the vendor's names, ours, and `extra` ones of the configuration."""
    vendor = vendor_domains(base_domain)
    ours = chain(
        *(_installation(base_domain), _onwards(), _aws(region), _ubuntu(), _first_boot()),
        _siblings(vendor),  # after the others, which know more of the same names
    )
    added = (Domain(name, _HTTPS, "", ALL_PHASES, BOTH, ADDED) for name in extra)
    kept = list(vendor)
    for one in chain(ours, added):
        if not any(other.name == one.name and other.used_by in (one.used_by, BOTH) for other in kept):
            kept.append(one)
    return kept


def names(domains: Iterable[Domain]) -> list[str]:
    """The names alone, each once, as a firewall takes them."""
    return sorted({one.name for one in domains})


def allows(domains: Iterable[Domain], host: str) -> bool:
    """Whether DNS Firewall would let that name through: a wildcard covers what lies below its name, not the name."""
    host = host.lower().removesuffix(".")
    return any(
        host.endswith(one.name.removeprefix("*")) if one.name.startswith("*.") else host == one.name for one in domains
    )


def as_rows(domains: Iterable[Domain]) -> list[dict[str, str]]:
    """The table for whoever keeps another firewall."""
    return [
        {
            "name": one.name,
            "ports": ", ".join(map(str, one.ports)),
            "purpose": one.purpose,
            "phases": ", ".join(one.phases),
            "used_by": one.used_by,
            "source": one.source,
            "reason": one.reason,
        }
        for one in domains
    ]


def domain_problems(additional: Sequence[str], count: int) -> Iterator[Problem]:
    """What DNS Firewall would not take in additional domains; `count` names are in the list with them."""
    for name in additional:
        if name in ("*", "*."):
            remedy = "leave it out, or choose the open mode"
            yield Problem("additional_domains", name, "lets every name through", remedy)
        elif fault := letters_fault(name):
            yield Problem("additional_domains", name, *fault)
        elif not _NAME.fullmatch(name):
            reason = "is no domain name: letters in lower case, digits and hyphens, with `*.` in front for all below it"
            yield Problem(
                "additional_domains", name, reason, 'write "example.com" or "*.example.com", without a URL\'s rest'
            )
    if count > MOST_DOMAINS:
        reason = f"makes the list {count} names long, and DNS Firewall takes {MOST_DOMAINS}"
        yield Problem("additional_domains", f"{len(additional)} names", reason, "use `*.` for many names below one")


def _ours(
    name: str,
    purpose: str,
    reason: str,
    *,
    phases: tuple[str, ...] = ALL_PHASES,
    used_by: str = BOTH,
    ports: tuple[int, ...] = _HTTPS,
) -> Domain:
    return Domain(name, ports, purpose, phases, used_by, OURS, reason)


def _installation(base_domain: str) -> Iterator[Domain]:
    base, *joined = host_names(base_domain)
    purpose, phases = "Dash Enterprise itself", (INSTALLATION, UPGRADE, RUN_TIME)
    yield _ours(base, purpose, f"*.{base} does not cover the base domain itself", phases=phases)
    reason = f"joined to the base domain with a hyphen, so that *.{base} does not cover it"
    for name in chain.from_iterable((name, f"*.{name}") for name in joined):
        yield _ours(name, purpose, reason, phases=phases)


def _siblings(listed: Iterable[Domain]) -> Iterator[Domain]:
    """For each listed name all names below it, and for each wildcard the name itself."""
    for one in listed:
        wildcard = one.name.startswith("*.")
        name = one.name.removeprefix("*.") if wildcard else f"*.{one.name}"
        reason = f"{one.name} does not cover {'the name itself' if wildcard else 'the names below it'}"
        yield _ours(name, one.purpose, reason, phases=one.phases, used_by=one.used_by, ports=one.ports)


def _onwards() -> Iterator[Domain]:
    """Where listed hosts send their clients. Redirects of HTTP are new look-ups: DNS Firewall cannot follow them."""
    layers = "Layers of images"
    for name, purpose, reason, phases in (
        # https://docs.docker.com/desktop/setup/allow-list/
        ("*.docker.com", layers, "docker.io sends on to production.cloudflare.docker.com and other hosts", _IMAGES),
        (
            "docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com",
            layers,
            "docker.io sends anonymous clients on to it",
            _IMAGES,
        ),
        ("pkg-containers.githubusercontent.com", layers, "ghcr.io sends on to it", _IMAGES),
        ("storage.googleapis.com", layers, "gcr.io sends on to it", _IMAGES),
        ("*.pkg.dev", layers, "gcr.io and registry.istio.io are served by Google's Artifact Registry", _IMAGES),
        ("registry.k8s.io", "Images of Kubernetes", "ingress-nginx and other charts take theirs from it", _IMAGES),
        # Beside cdn.quay.io, cdn01.quay.io and so on: https://access.redhat.com/node/7001746
        ("quayio-production-s3.s3.amazonaws.com", layers, "quay.io sends clients in AWS on to its bucket", _IMAGES),
        ("registry.istio.io", "Images of Istio", "istioctl installs from it since Istio 1.30", _IMAGES),
        ("files.pythonhosted.org", "Python packages", "pypi.org is the index, the files lie here", (RUN_TIME,)),
        ("repo.anaconda.com", "Conda packages", "Conda's default channel", (RUN_TIME,)),
        ("binstar-cio-packages-prod.s3.amazonaws.com", "Conda packages", "anaconda.org sends on to it", (RUN_TIME,)),
        ("*.launchpadcontent.net", "APT packages", "PPAs moved to it from launchpad.net", (INSTALLATION, RUN_TIME)),
    ):
        yield _ours(name, purpose, reason, phases=phases, used_by=CLUSTER)
    # https://docs.replicated.com/vendor/firewall-openings
    for name in ("replicated.app", "*.replicated.app"):
        yield _ours(name, "Releases and license", "KOTS gets both from it, on the host and in the cluster")
    for host, targets in REDIRECTS.items():
        for name in targets:
            yield _ours(name, "Downloads of first boot", f"{host} sends on to it", phases=(INSTALLATION,), used_by=HOST)
    reason = "Istio's install script comes from it"
    yield _ours("raw.githubusercontent.com", "Istio", reason, phases=(INSTALLATION,), used_by=HOST)


def _aws(region: str) -> Iterator[Domain]:
    _, suffix, dual_stack = partition_of(region)
    internal = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    every = "nothing on AWS works without"
    yield _ours(f"*.{region}.{suffix}", "AWS: EC2, ECR, S3, STS, Session Manager and others", every)
    yield _ours(f"*.{region}.{dual_stack}", "AWS: EKS Pod Identity, endpoints with IPv6", every)
    yield _ours(f"*.{region}.eks.{suffix}", "Kubernetes API of the cluster", "kubectl, nodes and pods use it")
    for name in ("sts", "s3", "*.s3"):
        yield _ours(f"{name}.{suffix}", "AWS: endpoints without a region", "older AWS SDKs use them by default")
    yield _ours("public.ecr.aws", "Images of AWS", "controllers and tools of AWS come from it", phases=_IMAGES)
    for name in ("d5l0dvt14r5h8.cloudfront.net", "d2glxqk2uabbnd.cloudfront.net"):
        yield _ours(name, "Images of AWS", "public.ecr.aws sends on to it", phases=_IMAGES, used_by=CLUSTER)
    reason = "the resolver of the VPC answers; blocked or not, nothing leaves the VPC"
    yield _ours(f"*.{internal}", "Names of instances, search suffix of pods", reason, ports=_LOOKED_UP)
    for name in ("*.in-addr.arpa", "*.ip6.arpa"):
        yield _ours(name, "Names of addresses", "logs and tools look them up", ports=_LOOKED_UP)


def _ubuntu() -> Iterator[Domain]:
    phases = (INSTALLATION, UPGRADE, RUN_TIME)
    mirrors = "archive., security., esm. and <region>.ec2.archive.ubuntu.com; apt speaks HTTP on port 80"
    yield _ours("*.ubuntu.com", "APT packages of the host", mirrors, phases=phases, used_by=HOST, ports=_HTTP_TOO)
    # https://snapcraft.io/docs/reference/administration/network-requirements
    snaps = "the Session Manager agent of Ubuntu is a snap, which updates itself"
    for name in ("api.snapcraft.io", "*.snapcraftcontent.com"):
        yield _ours(name, "Snaps of the host", snaps, phases=phases, used_by=HOST)
    # https://documentation.ubuntu.com/pro-client/en/docs/references/network_requirements
    reason = "Ubuntu's AMIs ask it once whether they are Ubuntu Pro"
    yield _ours("contracts.canonical.com", "Ubuntu Pro", reason, phases=phases, used_by=HOST)


def _first_boot() -> Iterator[Domain]:
    for url in urls(host_tools(DEFAULT_KUBERNETES_VERSION), SUPPORTING_SOFTWARE):
        reason = "first boot downloads from it"
        host = urlsplit(url).hostname or ""
        yield _ours(host, "Tools of the host", reason, phases=(INSTALLATION,), used_by=HOST)
