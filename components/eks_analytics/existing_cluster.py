"""An existing EKS cluster: looked up and checked, so that something can be installed into it."""

import pulumi
import pulumi_aws as aws

from .existing_cluster_checks import FoundCluster


def look_up(cluster_name: str, parent: pulumi.Resource) -> FoundCluster:
    """The cluster. Awaited on the spot, which the plain name allows: what fails here fails before anything is made."""
    lookup = pulumi.InvokeOptions(parent=parent)
    try:
        cluster = aws.eks.get_cluster(name=cluster_name, opts=lookup)
    except Exception as error:  # the SDK has no narrower one
        raise pulumi.RunError(
            f"cluster_name = {cluster_name!r}: EKS was asked for it as an existing cluster; correct the name or the "
            f"region, or let a new one be made. {error}"
        ) from None
    network = cluster.vpc_config
    group = aws.ec2.get_security_group(id=network.cluster_security_group_id, opts=lookup)
    return FoundCluster(
        name=cluster.name,
        arn=cluster.arn,
        endpoint=cluster.endpoint,
        certificate_authority=cluster.certificate_authorities[0].data,
        oidc_issuer=next((oidc.issuer for identity in cluster.identities for oidc in identity.oidcs), ""),
        status=cluster.status,
        authentication_mode=cluster.access_configs[0].authentication_mode,
        vpc_id=network.vpc_id,
        cluster_security_group_id=network.cluster_security_group_id,
        cluster_security_group_tags=group.tags,
    )
