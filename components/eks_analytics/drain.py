"""The first step of a teardown: the load balancers that controllers in the cluster made."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .arguments import argument_problems
from .cluster_checks import name_problems
from .drain_checks import DEFAULT_MINUTES, minutes_problems
from .drain_command import drain_command
from .problems import reject


class LoadBalancerDrainArgs(TypedDict):
    """Arguments of LoadBalancerDrain."""

    cluster_name: str
    """Name of the EKS cluster."""
    vpc_id: pulumi.Input[str]
    """Id of the cluster's VPC."""
    kubeconfig: pulumi.Input[str]
    """Content of a kubeconfig that asks for credentials when it is used; kept in the state as it is."""
    region: NotRequired[str]
    """AWS region; the provider's by default, which is looked up."""
    after: NotRequired[pulumi.Input[list[str]]]
    """What is known of all that must still be there while load balancers are removed: the release of the load balancer
    controller, node groups, the network. Only depended on. Empty by default."""
    minutes: NotRequired[int]
    """Minutes that it may take, after which the destroy fails and can be repeated; 15 by default."""
    production: NotRequired[bool]
    """Protects the step: taken out of the program, or renamed, it would run on the living cluster. False by default."""


class LoadBalancerDrain(pulumi.ComponentResource):
    """Does nothing until it is destroyed. Then it deletes the cluster's Services of type LoadBalancer, its Ingresses
    and Gateways, and waits until their load balancers and security groups are gone, which would keep the VPC from being
    deleted. Needs python3, aws and kubectl where `pulumi destroy` runs."""

    cluster_name: pulumi.Output[str]
    """Name of the cluster."""

    def __init__(self, name: str, args: LoadBalancerDrainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"drain {name!r}", argument_problems(args, LoadBalancerDrainArgs))
        minutes = int(args.get("minutes", DEFAULT_MINUTES))
        reject(f"drain {name!r}", [*name_problems(args["cluster_name"]), *minutes_problems(minutes)])

        super().__init__("eks-analytics:index:LoadBalancerDrain", name, {}, opts)
        region = args.get("region") or aws.get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
        # What is waited for at creation stays until this is deleted.
        self.cluster_name = pulumi.Output.all(args["cluster_name"], args.get("after", [])).apply(
            lambda known: str(known[0])
        )
        drain_command(
            name,
            "drain_load_balancers.py",
            {
                "DRAIN_CLUSTER": self.cluster_name,
                "DRAIN_REGION": region,
                "DRAIN_VPC": args["vpc_id"],
                "DRAIN_KUBECONFIG": args["kubeconfig"],
                "DRAIN_SECONDS": str(minutes * 60),
            },
            pulumi.ResourceOptions(parent=self, protect=args.get("production", False) or None),
        )
        self.register_outputs({"cluster_name": self.cluster_name})
