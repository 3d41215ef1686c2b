"""Managed node groups: the launch template and the group that come of a plan."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from .node_group_options import NodeGroupPlan, taint_effect


def create_node_group(
    label: str,
    plan: NodeGroupPlan,
    *,
    cluster_name: pulumi.Input[str],
    kubernetes_version: str,
    node_role_arn: pulumi.Input[str],
    subnet_ids: Sequence[pulumi.Input[str]],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
) -> aws.eks.NodeGroup:
    """A launch template and its managed node group.

    Whatever is in the launch template changes in place: a new version of it, to which EKS rolls the nodes. That is
    why a single instance type and the disk are there. The tags of the instances are there too, because EKS hands
    on none of the group's: a changed tag rolls the nodes.

    The desired size belongs to an autoscaler, so the program ignores it. The provider still sends all three sizes
    whenever one of them changes, with the desired size that it last saw: before changing `min_size` or `max_size` of a
    group that was scaled since, let the state see the present size (`pulumi up --refresh`).
    """
    name = f"{label}-{plan.logical_name}"
    instance_tags = {**tags, "Name": f"{label}-{plan.name}"}
    template = aws.ec2.LaunchTemplate(
        name,
        description=f"Nodes of {label}-{plan.name}",
        instance_type=plan.instance_types[0] if len(plan.instance_types) == 1 else None,
        block_device_mappings=_disks(plan),
        metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled",
            http_tokens="required",
            # Pods off the host network cannot reach the node's credentials.
            http_put_response_hop_limit=1,
        ),
        tag_specifications=[
            aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=resource_type, tags=instance_tags)
            for resource_type in ("instance", "volume", "network-interface")
        ],
        tags=instance_tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return aws.eks.NodeGroup(
        name,
        cluster_name=cluster_name,
        version=kubernetes_version,
        # A prefix, not a name: a replacement can stand beside the group that it replaces.
        node_group_name_prefix=f"{plan.name}-",
        node_role_arn=node_role_arn,
        subnet_ids=subnet_ids,
        ami_type=plan.ami_type,
        capacity_type=plan.capacity_type,
        instance_types=list(plan.instance_types) if len(plan.instance_types) > 1 else None,
        launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
            id=template.id, version=template.latest_version.apply(lambda version: str(int(version)))
        ),
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(
            min_size=plan.min_size, desired_size=plan.desired_size, max_size=plan.max_size
        ),
        update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable_percentage=plan.max_unavailable_percentage),
        labels=plan.labels,
        taints=[
            aws.eks.NodeGroupTaintArgs(key=taint["key"], value=taint.get("value", ""), effect=taint_effect(taint))
            for taint in plan.taints
        ],
        tags=instance_tags,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=depends_on, ignore_changes=["scalingConfig.desiredSize"]),
    )


def _disks(plan: NodeGroupPlan) -> list[aws.ec2.LaunchTemplateBlockDeviceMappingArgs]:
    # Bottlerocket keeps its system on /dev/xvda, at the size of the image, and everything that grows on /dev/xvdb.
    sizes = {"/dev/xvda": None, "/dev/xvdb": plan.disk_size_gib}
    if not plan.ami_type.startswith("BOTTLEROCKET"):
        sizes = {"/dev/xvda": plan.disk_size_gib}
    return [
        aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
            device_name=device,
            ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                volume_type="gp3", volume_size=size, encrypted="true", delete_on_termination="true"
            ),
        )
        for device, size in sizes.items()
    ]
