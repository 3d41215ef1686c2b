"""The load balancer of Dash Enterprise, as the Kubernetes API knows it."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from eks_analytics.dns_records import NAMESPACE, SERVICE
from operations.console import OperationError

_TYPE_ANNOTATION = "service.beta.kubernetes.io/aws-load-balancer-type"
_SECONDS_TO_CONNECT, _SECONDS_TO_ANSWER = 5, 15
_ELSEWHERE = "Where the API is private, run the kubectl command of --help on the bootstrap host and give --hostname."


@dataclass(frozen=True, slots=True)
class FoundLoadBalancer:
    hostname: str
    annotated_type: str
    """"network" or "classic": what the Service asked for; the name says what it got."""


def find_load_balancer(kubeconfig: Path | None, context: str | None) -> FoundLoadBalancer:
    """Ask the Kubernetes API for the address of the ingress controller's Service."""
    service = _read_service(kubeconfig, context)
    annotations: dict[str, str] = service.metadata.annotations or {}
    # https://kubernetes.io/docs/reference/networking/service-load-balancing: without it, AWS's provider makes classic.
    wanted = "network" if annotations.get(_TYPE_ANNOTATION, "").startswith(("nlb", "external")) else "classic"
    if service.spec.type != "LoadBalancer":
        raise OperationError(
            f"Service {SERVICE} in {NAMESPACE} is of type {service.spec.type}, so it has no load balancer: "
            "point the records at what stands in front of it, with --hostname."
        )
    entries: list[Any] = service.status.load_balancer.ingress or []
    if not entries:
        raise OperationError(
            f"Service {SERVICE} in {NAMESPACE} has no load balancer yet: AWS takes some minutes. If it stays so, "
            f"`kubectl describe service {SERVICE} -n {NAMESPACE}` tells why."
        )
    if not entries[0].hostname:
        raise OperationError(
            f"Service {SERVICE} in {NAMESPACE} has the address {entries[0].ip} and no host name, so no load balancer "
            "of AWS: make the base domain's record by hand as an A record."
        )
    return FoundLoadBalancer(str(entries[0].hostname), wanted)


def _read_service(kubeconfig: Path | None, context: str | None) -> Any:
    import urllib3

    kubernetes: Any = import_module("kubernetes")  # a second to import, and a part of it is not typed
    api, server = _connect(kubernetes, kubeconfig, context)
    try:
        return api.read_namespaced_service(
            SERVICE, NAMESPACE, _request_timeout=(_SECONDS_TO_CONNECT, _SECONDS_TO_ANSWER)
        )
    except kubernetes.client.ApiException as error:
        raise OperationError(_refusal(error.status or 0, str(error.reason), server)) from None
    except urllib3.exceptions.HTTPError as error:
        cause = getattr(error, "reason", None) or error
        raise OperationError(f"the Kubernetes API at {server} is out of reach ({cause}). {_ELSEWHERE}") from None
    except ValueError:
        raise OperationError(f"{server} does not answer as a Kubernetes API does: check the kubeconfig.") from None


def _refusal(status: int, reason: str, server: str) -> str:
    if status == 404:
        return (
            f"there is no Service {SERVICE} in {NAMESPACE}: the installer has not run yet, or this is another cluster "
            f"({server})."
        )
    if status == 401:
        return (
            f"the Kubernetes API at {server} does not know you: sign in to AWS as one of the cluster's administrators "
            "(cluster.admin_principal_arns), then try again."
        )
    if status == 403:
        return f"the Kubernetes API at {server} forbids you to read Services in {NAMESPACE}: ask for that right."
    return f"the Kubernetes API at {server} answered {status} {reason}: try again, or give --hostname."


def _connect(kubernetes: Any, kubeconfig: Path | None, context: str | None) -> tuple[Any, str]:
    """The API and its URL."""
    configuration = kubernetes.client.Configuration()
    named = kubeconfig or "the default kubeconfig"
    try:
        with _complaints() as complaints:
            kubernetes.config.load_kube_config(
                config_file=str(kubeconfig) if kubeconfig else None,
                context=context,
                client_configuration=configuration,
                persist_config=False,
            )
    except (kubernetes.config.ConfigException, OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise OperationError(
            f"{named} cannot be used ({str(error).splitlines()[0]}). "
            "`pulumi stack output kubeconfig > kubeconfig` writes one for --kubeconfig."
        ) from None
    if complaints:  # the client would go on without a token
        raise OperationError(f"{named} names a command that gives no token: {' '.join(complaints)}")
    configuration.retries = 0
    return kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration)), str(configuration.host)


@contextmanager
def _complaints() -> Generator[list[str]]:
    """What the client logs as errors instead of raising it."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    collector = Collector(logging.ERROR)
    logging.getLogger().addHandler(collector)
    try:
        yield found
    finally:
        logging.getLogger().removeHandler(collector)
