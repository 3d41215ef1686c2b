"""What the emulated account holds."""

from sandbox.cloud import Cloud
from sandbox.providers.aws_api import Api
from sandbox.providers.aws_rows import ROWS


def inventory(cloud: Cloud, region: str) -> dict[str, list[str]]:
    """Ids by resource type of what users made there; what AWS itself makes with an account is left out."""
    api = Api(lambda: cloud, region)
    found = {token: row.listing(api) for token, row in ROWS.items() if row.listing}
    keys = {id: api.call("kms", "DescribeKey", KeyId=id)["KeyMetadata"] for id in found.pop("aws:kms/key:Key")}
    aliases = api.call("kms", "ListAliases")["Aliases"]  # moto gives out AWS's own keys as a customer's
    managed = {alias.get("TargetKeyId") for alias in aliases if alias["AliasName"].startswith("alias/aws/")}
    own = {id: key["KeyState"] for id, key in keys.items() if key["KeyManager"] == "CUSTOMER" and id not in managed}
    found["aws:kms/key:Key"] = [id for id, state in own.items() if state != "PendingDeletion"]
    found["aws:kms/key:Key (pending deletion)"] = [id for id, state in own.items() if state == "PendingDeletion"]
    return {token: sorted(ids) for token, ids in found.items() if ids}
