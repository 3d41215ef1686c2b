"""An existing EKS cluster: looked up and checked, so that something can be installed into it."""

from dataclasses import replace

import pulumi
import pulumi_aws as aws

from .existing_cluster_checks import FoundCluster
from .look_ups import looking_up, not_found
from .problems import reject


def look_up(cluster_name: str, region: str, parent: pulumi.Resource) -> FoundCluster:
    """The cluster. Awaited on the spot, which the plain name allows: what fails here fails before anything is made."""
    lookup = pulumi.InvokeOptions(parent=parent)
    try:
        cluster = aws.eks.get_cluster(name=cluster_name, opts=lookup)
    except Exception as error:  # the SDK has no narrower one
        problem = not_found("cluster_name", cluster_name, region, parent, error)
        remedy = "correct the name, the region or the credentials, or let a new cluster be made"
        reject("existing cluster", [replace(problem, remedy=remedy)])
        raise
    network = cluster.vpc_config
    with looking_up(f"the cluster security group of {cluster_name}", "ec2:DescribeSecurityGroups"):
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
