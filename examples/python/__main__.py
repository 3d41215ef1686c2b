import pulumi

from eks_analytics import Network

zones = ["us-east-1a", "us-east-1b"]
network = Network("shared", {"cluster_name": "shared", "region": "us-east-1", "availability_zones": zones})
pulumi.export("private_subnet_ids", network.private_subnet_ids)
