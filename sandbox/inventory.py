"""What the emulated account and its clusters hold."""

from pathlib import Path

from sandbox.cloud import EXISTING, LEFT_IN_DELETED_CLUSTERS, RELEASES, Cloud
from sandbox.kubernetes_api.client import KubernetesApi
from sandbox.providers.aws_api import Api
from sandbox.providers.aws_rows import ROWS


def inventory(cloud: Cloud, region: str) -> dict[str, list[str]]:
    """Ids by resource type of what users made there; left out is what every account and every cluster has, and what was
    made because a stack names it as existing."""
    existing = cloud.store(EXISTING).items().keys()
    api = Api(lambda: cloud, region)
    found = {token: row.listing(api) for token, row in ROWS.items() if row.listing}
    keys = {id: api.call("kms", "DescribeKey", KeyId=id)["KeyMetadata"] for id in found.pop("aws:kms/key:Key")}
    aliases = api.call("kms", "ListAliases")["Aliases"]  # moto gives out AWS's own keys as a customer's
    managed = {alias.get("TargetKeyId") for alias in aliases if alias["AliasName"].startswith("alias/aws/")}
    states = {id: key["KeyState"] for id, key in keys.items() if key["KeyManager"] == "CUSTOMER" and id not in managed}
    found["aws:kms/key:Key"] = [id for id, state in states.items() if state != "PendingDeletion"]
    found["aws:kms/key:Key (pending deletion)"] = [id for id, state in states.items() if state == "PendingDeletion"]
    for kind, id in _kubernetes(cloud):
        found.setdefault(kind, []).append(id)
    own = {token: sorted(set(ids) - existing) for token, ids in found.items()}
    return {token: ids for token, ids in own.items() if ids}


def _kubernetes(cloud: Cloud) -> list[tuple[str, str]]:
    """Kinds, and ids that begin with the cluster's name."""
    found: list[tuple[str, str]] = []
    for name, address in cloud.ask("kubernetes_running").items():
        objects = KubernetesApi(address["url"], Path(address["folder"])).made_by_people()
        found += [(kind, f"{name}: {id}") for kind, id in objects]
    for key in cloud.store(RELEASES).items():
        name, _, id = key.partition("/")
        found.append(("kubernetes:helm.sh/v3:Release", f"{name}: {id}"))
    for name, left in cloud.store(LEFT_IN_DELETED_CLUSTERS).items().items():
        found += [(f"{kind} (when its cluster was deleted)", f"{name}: {id}") for kind, id in left["objects"]]
    return found
