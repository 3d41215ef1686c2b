"""How long AWS takes, in seconds: medians of public logs. The `latency` knob scales them."""

CREATE = {
    "aws:eks/cluster:Cluster": 596.0,
    "aws:eks/nodeGroup:NodeGroup": 120.0,
    "aws:ec2/natGateway:NatGateway": 107.0,
    "aws:kms/key:Key": 28.0,
    "aws:ec2/instance:Instance": 16.0,
    "aws:route53/record:Record": 35.0,
    "aws:sqs/queue:Queue": 25.0,
    "aws:ec2/vpc:Vpc": 12.5,  # 1 to 24: DNS host names are a change of their own
    "aws:ec2/internetGateway:InternetGateway": 1.0,
    "kubernetes:helm.sh/v3:Release": 45.0,
}
ADDONS = {
    "vpc-cni": 30.0,
    "eks-pod-identity-agent": 25.0,
    "kube-proxy": 25.0,
    "coredns": 15.0,
    "metrics-server": 50.0,
    "aws-ebs-csi-driver": 54.0,
    "snapshot-controller": 25.0,
}
DELETE = {
    "aws:eks/cluster:Cluster": 204.0,
    "aws:eks/nodeGroup:NodeGroup": 252.0,
    "aws:ec2/natGateway:NatGateway": 50.0,
    "aws:ec2/instance:Instance": 30.0,
    "aws:route53/record:Record": 35.0,
}


def create_seconds(token: str, inputs: dict[str, object]) -> float:
    """`token` is the resource type; some types differ by an input."""
    match token:
        case "aws:eks/addon:Addon":
            return ADDONS.get(str(inputs.get("addonName")), 30.0)
        case "aws:ec2/vpcEndpoint:VpcEndpoint":
            return 113.0 if inputs.get("vpcEndpointType") == "Interface" else 6.0
        case "aws:ec2/subnet:Subnet":
            return 10.0 if inputs.get("mapPublicIpOnLaunch") else 3.0
        case _:
            return CREATE.get(token, 1.0)


def delete_seconds(token: str) -> float:
    return DELETE.get(token, 1.0)
