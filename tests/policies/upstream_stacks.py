"""Networks, stores and workloads as others publish them; each names where. They pass all rules."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from access_attacks import bucket_with, tls
from exposure_attacks import chart, ingress, ports, service
from policy_cases import TAGS, allow, encoded
from policy_world import Made

GITHUB, DOCS = "https://github.com", "https://docs.aws.amazon.com"
Program = tuple[str, list[Made]]
"""Where it stands, and what it makes."""

WORLD, VPC = ["0.0.0.0/0"], ["10.0.0.0/16"]
_EGRESS = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": WORLD}]
_NODE_CONFIG = """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="BOUNDARY"

--BOUNDARY
Content-Type: application/node.eks.aws

---
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster:
    name: my-cluster
    apiServerEndpoint: https://example.com
    certificateAuthority: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURCVENDQWUyZ0F3SUJBZ0lJTGxqVGtxOXFmVkV3RFFZ
    cidr: 10.100.0.0/16
  kubelet:
    flags:
    - --node-labels=app=my-app,environment=test

--BOUNDARY
Content-Type: text/x-shellscript; charset="us-ascii"

#!/bin/bash
TOKEN=$(curl -X PUT "http://169.254.169.254/latest/api/token" -H "X-aws-ec2-metadata-token-ttl-seconds: 21600")
PASSWORD=$(aws secretsmanager get-secret-value --secret-id prod/app --query SecretString --output text)
--BOUNDARY--
"""
_FLUENT_BIT = """[FILTER]
    Name                kubernetes
    Match               application.*
    Kube_URL            https://kubernetes.default.svc:443
    Kube_CA_File        /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
    Kube_Token_File     /var/run/secrets/kubernetes.io/serviceaccount/token
    Merge_Log_Key       log_processed
    Kubelet_Port        10250
[OUTPUT]
    Name                cloudwatch_logs
    region              ${AWS_REGION}
    auto_create_group   true
"""


def group(name: str, *inbound: Mapping[str, Any]) -> Made:
    props = {"ingress": list(inbound), "egress": _EGRESS, "tags": TAGS}
    return Made("aws:ec2/securityGroup:SecurityGroup", name, props)


def inbound(group: str, port: int, **source: Any) -> Made:
    props = {"ipProtocol": "tcp", "fromPort": port, "toPort": port, **source}
    kind = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    return Made(kind, f"{group}-{port}", props, {"securityGroupId": group})


def workload(kind: str, *containers: Mapping[str, Any]) -> Made:
    return Made(f"kubernetes:apps/v1:{kind}", "app", {"spec": {"template": {"spec": {"containers": list(containers)}}}})


def secret_env(name: str, of: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": of, "key": key}}}


def _networks() -> Mapping[str, Program]:
    container = {
        "name": "frontend",
        "portMappings": [{"containerPort": 3000}],
        "environment": [{"name": "PORT", "value": "3000"}],
    }
    secrets = [{"name": "DB_PASSWORD", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"}]
    balancer = {"loadBalancerType": "application", "internal": False}
    numbered: Sequence[tuple[int, int, str]] = ((80, 80, WORLD[0]), (443, 443, WORLD[0]), (22, 22, "192.0.2.0/24"))
    list_entries = [
        {
            "ruleNo": 100 + 10 * index,
            "action": "allow",
            "protocol": "tcp",
            "cidrBlock": cidr,
            "fromPort": first,
            "toPort": last,
        }
        for index, (first, last, cidr) in enumerate((*numbered, (3389, 3389, "192.0.2.0/24"), (1024, 65535, WORLD[0])))
    ]
    every = {"ruleNo": 100, "action": "allow", "protocol": "-1", "cidrBlock": WORLD[0], "fromPort": 0, "toPort": 0}
    host = {"metadataOptions": {"httpTokens": "required"}, "rootBlockDevice": {"encrypted": True}, "tags": TAGS}
    return {
        "ECS on Fargate behind an Application Load Balancer": (
            f"{GITHUB}/terraform-aws-modules/terraform-aws-ecs/blob/master/examples/fargate/main.tf",
            [
                group("alb"),
                inbound("alb", 80, cidrIpv4=WORLD[0]),
                group("service"),
                inbound("service", 3000, referencedSecurityGroupId="sg-1"),
                Made("aws:lb/loadBalancer:LoadBalancer", "balancer", balancer, {"securityGroups": "alb"}),
                Made(
                    "aws:lb/targetGroup:TargetGroup", "targets", {"port": 3000, "protocol": "HTTP", "targetType": "ip"}
                ),
                Made(
                    "aws:lb/listener:Listener",
                    "http",
                    {"port": 80, "protocol": "HTTP"},
                    {"loadBalancerArn": "balancer", "defaultActions": "targets"},
                ),
                Made(
                    "aws:ecs/taskDefinition:TaskDefinition",
                    "task",
                    {"containerDefinitions": json.dumps([{**container, "secrets": secrets}]), "tags": TAGS},
                ),
            ],
        ),
        "a web server's security group": (
            f"{DOCS}/AWSEC2/latest/UserGuide/security-group-rules-reference.html",
            [
                group(
                    "web",
                    ports(80, cidrBlocks=WORLD, ipv6CidrBlocks=["::/0"]),
                    ports(443, cidrBlocks=WORLD, ipv6CidrBlocks=["::/0"]),
                    ports(22, cidrBlocks=["203.0.113.0/24"]),
                    ports(3389, cidrBlocks=["203.0.113.0/24"]),
                    ports(8, 0, "icmp", cidrBlocks=WORLD),
                    ports(8, -1, "1", cidrBlocks=WORLD),
                    ports(128, 0, "icmpv6", ipv6CidrBlocks=["::/0"]),
                    ports(3, 4, "icmp", cidrBlocks=WORLD),
                )
            ],
        ),
        "network ACLs with ports for answers": (
            f"{DOCS}/vpc/latest/userguide/custom-network-acl.html",
            [
                Made(
                    "aws:ec2/networkAcl:NetworkAcl", "acl", {"ingress": list_entries, "egress": [every], "tags": TAGS}
                ),
                Made("aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", "default", {"ingress": [every], "egress": [every]}),
                Made(
                    "aws:ec2/networkAclRule:NetworkAclRule",
                    "answers",
                    {**list_entries[-1], "ruleAction": "allow", "egress": False, "fromPort": 32768},
                ),
            ],
        ),
        "a peered VPC whose clients reach a database and hosts": (
            f"{DOCS}/vpc/latest/peering/vpc-peering-security-groups.html",
            [
                Made(
                    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "peering", {"autoAccept": True, "tags": TAGS}
                ),
                group(
                    "database",
                    ports(5432, cidrBlocks=["172.31.0.0/16", "10.0.0.0/8"]),
                    ports(22, cidrBlocks=["10.0.0.0/8"]),
                ),
            ],
        ),
        "a host without inbound ports, reached by Session Manager": (
            f"{GITHUB}/terraform-aws-modules/terraform-aws-ec2-instance/blob/master/examples/session-manager/main.tf",
            [
                Made(
                    "aws:ec2/instance:Instance",
                    "host",
                    {**host, "userData": "#!/bin/bash\ndnf install -y amazon-ssm-agent\n"},
                ),
                group("host"),
                group("endpoints", ports(443, cidrBlocks=["10.0.20.0/24", "10.0.21.0/24"])),
                *(
                    Made(
                        "aws:ec2/vpcEndpoint:VpcEndpoint",
                        name,
                        {
                            "serviceName": f"com.amazonaws.eu-west-1.{name}",
                            "vpcEndpointType": "Interface",
                            "tags": TAGS,
                        },
                    )
                    for name in ("ssm", "ssmmessages", "ec2messages")
                ),
            ],
        ),
        "an NLB for SSH from named networks by its security group": (
            f"{DOCS}/elasticloadbalancing/latest/network/load-balancer-security-groups.html",
            [
                group("bastion"),
                inbound("bastion", 22, cidrIpv4="203.0.113.0/24"),
                Made(
                    "aws:lb/loadBalancer:LoadBalancer",
                    "balancer",
                    {"loadBalancerType": "network", "internal": False},
                    {"securityGroups": "bastion"},
                ),
                Made(
                    "aws:lb/listener:Listener", "ssh", {"port": 22, "protocol": "TCP"}, {"loadBalancerArn": "balancer"}
                ),
            ],
        ),
        "an internal NLB for the Kubernetes API": (
            f"{DOCS}/elasticloadbalancing/latest/network/create-network-load-balancer.html",
            [
                Made("aws:lb/loadBalancer:LoadBalancer", "balancer", {"loadBalancerType": "network", "internal": True}),
                Made(
                    "aws:lb/listener:Listener",
                    "api",
                    {"port": 6443, "protocol": "TCP"},
                    {"loadBalancerArn": "balancer"},
                ),
            ],
        ),
        "nodes of AL2023 that nodeadm configures": (
            "https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/examples/",
            [
                Made(
                    "aws:ec2/launchTemplate:LaunchTemplate",
                    "nodes",
                    {
                        "userData": encoded(_NODE_CONFIG),
                        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
                        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true"}}],
                        "tags": TAGS,
                    },
                )
            ],
        ),
    }


def _stores() -> Mapping[str, Program]:
    modules = f"{GITHUB}/terraform-aws-modules"
    account = "123456789012"
    distribution = {
        "Sid": "AllowCloudFrontServicePrincipal",
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        **{
            key: value
            for key, value in allow("s3:GetObject", "arn:aws:s3:::files/*").items()
            if key in ("Action", "Resource")
        },
        "Condition": {"StringEquals": {"AWS:SourceArn": f"arn:aws:cloudfront::{account}:distribution/EDFDVBD6EXAMPLE"}},
    }
    return {
        "a private PostgreSQL": (
            f"{modules}/terraform-aws-rds/blob/master/examples/complete-postgres/main.tf",
            [
                group("database", ports(5432, cidrBlocks=VPC)),
                Made(
                    "aws:rds/instance:Instance",
                    "primary",
                    {"engine": "postgres", "storageEncrypted": True, "multiAz": True, "manageMasterUserPassword": True},
                ),
                Made("aws:rds/instance:Instance", "replica", {"replicateSourceDb": "primary"}),
                Made("aws:rds/snapshot:Snapshot", "snapshot", {"sharedAccounts": [account], "tags": TAGS}),
            ],
        ),
        "a cache with encryption": (
            f"{modules}/terraform-aws-elasticache/blob/master/examples/redis-replication-group/main.tf",
            [
                group("cache", ports(6379, cidrBlocks=VPC)),
                Made(
                    "aws:elasticache/replicationGroup:ReplicationGroup",
                    "cache",
                    {
                        "engine": "redis",
                        "atRestEncryptionEnabled": True,
                        "transitEncryptionEnabled": True,
                        "tags": TAGS,
                    },
                ),
                Made("aws:elasticache/replicationGroup:ReplicationGroup", "valkey", {"engine": "valkey", "tags": TAGS}),
            ],
        ),
        "a file system for pods": (
            f"{GITHUB}/kubernetes-sigs/aws-efs-csi-driver/blob/master/docs/efs-create-filesystem.md",
            [
                Made("aws:efs/fileSystem:FileSystem", "files", {"encrypted": True, "tags": TAGS}),
                group("files", ports(2049, cidrBlocks=VPC)),
                Made(
                    "kubernetes:storage.k8s.io/v1:StorageClass",
                    "efs-sc",
                    {"provisioner": "efs.csi.aws.com", "parameters": {"provisioningMode": "efs-ap"}},
                ),
            ],
        ),
        "a site in a bucket behind CloudFront": (
            f"{DOCS}/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html",
            [
                *bucket_with(distribution, tls()),
                Made("aws:s3/bucketAcl:BucketAcl", "acl", {"acl": "private"}, {"bucket": "files"}),
                Made(
                    "aws:s3/bucketObjectv2:BucketObjectv2",
                    "index",
                    {"key": "index.html", "acl": "private"},
                    {"bucket": "files"},
                ),
            ],
        ),
        "a bucket that CloudFront logs to by its ACL": (
            f"{DOCS}/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html",
            [
                Made(
                    "aws:s3/bucketAcl:BucketAcl",
                    "logs",
                    {
                        "accessControlPolicy": {
                            "grants": [
                                {
                                    "permission": "FULL_CONTROL",
                                    "grantee": {"type": "CanonicalUser", "id": "c4c1ede66af53448"},
                                },
                                {
                                    "permission": "WRITE",
                                    "grantee": {
                                        "type": "Group",
                                        "uri": "http://acs.amazonaws.com/groups/s3/LogDelivery",
                                    },
                                },
                            ]
                        }
                    },
                )
            ],
        ),
        "an image that an organization may start": (
            f"{DOCS}/AWSEC2/latest/UserGuide/share-amis-with-organizations-and-OUs.html",
            [
                Made(
                    "aws:ec2/amiLaunchPermission:AmiLaunchPermission",
                    "ours",
                    {
                        "imageId": "ami-1",
                        "organizationArn": f"arn:aws:organizations::{account}:organization/o-123example",
                    },
                ),
                Made("aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", "images", {"state": "block-new-sharing"}),
                Made(
                    "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess",
                    "block",
                    {"state": "block-all-sharing"},
                ),
            ],
        ),
        "a search domain in a VPC": (
            f"{modules}/terraform-aws-opensearch/blob/master/examples/complete/main.tf",
            [
                Made(
                    "aws:opensearch/domain:Domain",
                    "search",
                    {
                        "vpcOptions": {"subnetIds": ["subnet-1", "subnet-2"]},
                        "encryptAtRest": {"enabled": True},
                        "nodeToNodeEncryption": {"enabled": True},
                        "tags": TAGS,
                    },
                )
            ],
        ),
        "a function that is told where its secret is": (
            f"{DOCS}/lambda/latest/dg/configuration-envvars.html",
            [
                Made(
                    "aws:lambda/function:Function",
                    "function",
                    {
                        "environment": {
                            "variables": {
                                "DB_SECRET_ARN": f"arn:aws:secretsmanager:us-east-1:{account}:secret:db-AbCdEf",
                                "DB_SECRET": "prod/app/db",
                                "TOKEN_TABLE": "tokens",
                                "POWERTOOLS_SERVICE_NAME": "payment",
                                "AUTH_TOKEN": "disabled",
                            }
                        },
                        "tags": TAGS,
                    },
                ),
                Made(
                    "aws:ssm/parameter:Parameter",
                    "name",
                    {"type": "String", "name": "/app/db/secret-name", "value": "prod/db"},
                ),
                Made(
                    "aws:ssm/parameter:Parameter",
                    "password",
                    {"type": "SecureString", "name": "/app/db/password", "value": "generated-elsewhere-1"},
                ),
            ],
        ),
    }


def _workloads() -> Mapping[str, Program]:
    nlb = {"aws_load_balancer_type": "nlb", "aws_load_balancer_cross_zone_load_balancing_enabled": "true"}
    https = [{"name": "http", "port": 80, "targetPort": "http"}, {"name": "https", "port": 443, "targetPort": "https"}]
    controller = {
        "service": {
            "type": "LoadBalancer",
            "annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"},
            "ports": {"http": 80, "https": 443},
            "targetPorts": {"http": "tohttps", "https": "http"},
        },
        "config": {"http-snippet": "server { listen 2443; return 308 https://$host$request_uri; }"},
    }
    console = {"loadBalancerClass": "eks.amazonaws.com/nlb"}
    alert = "receivers:\n- name: on-call\n  pagerduty_configs:\n  - routing_key_file: /etc/alertmanager/secrets/key\n"
    return {
        "ingress-nginx behind an NLB": (
            f"{GITHUB}/kubernetes/ingress-nginx/blob/main/deploy/static/provider/aws/deploy.yaml",
            [
                *service(*https, spec={"externalTrafficPolicy": "Local"}, **nlb),
                Made(
                    "kubernetes:core/v1:ConfigMap",
                    "ingress-nginx-controller",
                    {"data": {"allow-snippet-annotations": "false"}},
                ),
            ],
        ),
        "ingress-nginx by its chart": (
            "https://kubernetes.github.io/ingress-nginx/deploy/#aws",
            chart({"controller": controller, "imagePullSecrets": [{"name": "regcred"}]}, "ingress-nginx"),
        ),
        "cert-manager by its chart": (
            "https://cert-manager.io/docs/installation/helm/",
            chart(
                {"crds": {"enabled": True}, "prometheus": {"enabled": False}, "webhook": {"securePort": 10250}},
                "cert-manager",
            ),
        ),
        "External Secrets by its chart": (
            "https://external-secrets.io/latest/introduction/getting-started/",
            [
                *chart({"installCRDs": True, "extraEnv": [{"name": "LOG_LEVEL", "value": "info"}]}, "external-secrets"),
                Made(
                    "kubernetes:external-secrets.io/v1:ExternalSecret",
                    "database",
                    {
                        "spec": {
                            "data": [{"secretKey": "password", "remoteRef": {"key": "prod/db", "property": "password"}}]
                        }
                    },
                ),
            ],
        ),
        "WordPress and its database": (
            "https://kubernetes.io/docs/tutorials/stateful-application/mysql-wordpress-persistent-volume/",
            [
                *service(80),
                workload(
                    "Deployment",
                    {
                        "name": "wordpress",
                        "env": [
                            {"name": "WORDPRESS_DB_HOST", "value": "wordpress-mysql"},
                            secret_env("WORDPRESS_DB_PASSWORD", "mysql-pass", "password"),
                        ],
                    },
                ),
            ],
        ),
        "Fluent Bit for Container Insights": (
            f"{GITHUB}/aws-samples/amazon-cloudwatch-container-insights/blob/main/k8s-deployment-manifest-templates/"
            "deployment-mode/daemonset/container-insights-monitoring/fluent-bit/fluent-bit.yaml",
            [
                Made("kubernetes:core/v1:ConfigMap", "fluent-bit-config", {"data": {"fluent-bit.conf": _FLUENT_BIT}}),
                workload("DaemonSet", {"name": "fluent-bit", "env": [{"name": "CI_VERSION", "value": "k8s/1.3.26"}]}),
            ],
        ),
        "Prometheus with Grafana": (
            f"{GITHUB}/prometheus-community/helm-charts/tree/main/charts/kube-prometheus-stack",
            [
                *chart(
                    {
                        "grafana": {
                            "admin": {"existingSecret": "grafana-admin", "passwordKey": "admin-password"},
                            "service": {"type": "ClusterIP", "port": 80},
                        },
                        "kubelet": {"serviceMonitor": {"https": True}},
                    },
                    "kube-prometheus-stack",
                ),
                Made("kubernetes:core/v1:ConfigMap", "alertmanager", {"data": {"alertmanager.yaml": alert}}),
            ],
        ),
        "an internal Service for the Admin Console": (
            f"{DOCS}/eks/latest/userguide/network-load-balancing.html",
            [
                *service(8800, aws_load_balancer_scheme="internal", aws_load_balancer_type="external"),
                *(
                    Made(made.type, "automatic", made.props)
                    for made in service(8800, spec=console)  # EKS Auto Mode makes it internal unless told otherwise
                ),
                *(
                    Made(made.type, "office", made.props)
                    for made in service(22, spec={"loadBalancerSourceRanges": ["203.0.113.0/24", "10.0.0.0/8"]})
                ),
            ],
        ),
        "an Ingress for everybody": (
            "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/",
            [*ingress(443, scheme="internet-facing", target_type="ip")],
        ),
        "the Datadog agent": (
            f"{GITHUB}/DataDog/helm-charts/tree/main/charts/datadog",
            chart(
                {
                    "datadog": {
                        "apiKeyExistingSecret": "datadog-secret",
                        "env": [{"name": "DD_AUTH_TOKEN_FILE_PATH", "value": "/etc/datadog-agent/auth/token"}],
                    },
                    "clusterAgent": {"tokenExistingSecret": "datadog-token"},
                },
                "datadog",
            ),
        ),
    }


PROGRAMS: Mapping[str, Program] = {**_networks(), **_stores(), **_workloads()}
