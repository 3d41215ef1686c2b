"""Programs as those publish them who make a controller or a service of AWS; each names where. They pass all rules."""

from collections.abc import Mapping
from typing import Any

from access_attacks import ACCOUNT, EKS, GITHUB, GITLAB, IAM, bucket_with, identity, oidc, permission, role, tls
from policy_cases import TAGS, allow, bound, cluster_role, document
from policy_world import Made

DOCS = "https://docs.aws.amazon.com"
REGION = "us-east-1"
Program = tuple[str, list[Made]]
"""Where it stands, and what it makes."""


def _actions(service: str, names: str) -> list[str]:
    return [f"{service}:{name}" for name in names.split()]


def _tagged(key: str, *, on: str = "Resource", value: str = "owned") -> dict[str, Any]:
    return {"StringEquals": {f"aws:{on}Tag/{key}": value}}


def _there(*keys: str) -> dict[str, Any]:
    return {"Null": dict.fromkeys(keys, "false")}


def _policy(kind: str, *statements: Mapping[str, Any]) -> list[Made]:
    name = kind.rpartition(":")[2]
    return [Made(kind, name, {"policy": document(*statements), "tags": TAGS})]


def _in(service: str, action: str | list[str], resource: Any = "*", **more: Any) -> dict[str, Any]:
    """What lets a service of AWS in."""
    principal = service if service == "*" else {"Service": f"{service}.amazonaws.com"}
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, **more}


def _controllers() -> Mapping[str, Program]:
    github = "https://github.com"
    ours, elb = "elbv2.k8s.aws/cluster", "elasticloadbalancing"
    on_request, on_resource = f"aws:RequestTag/{ours}", f"aws:ResourceTag/{ours}"
    balancers = [
        f"arn:aws:{elb}:*:*:{kind}" for kind in ("targetgroup/*/*", "loadbalancer/net/*/*", "loadbalancer/app/*/*")
    ]
    listeners = [f"arn:aws:{elb}:*:*:{kind}" for kind in ("listener/net/*/*/*", "listener-rule/app/*/*/*")]
    groups, volumes, snapshots = (f"arn:aws:ec2:*:*:{kind}/*" for kind in ("security-group", "volume", "snapshot"))
    karpenter = {"StringEquals": {"aws:ResourceTag/kubernetes.io/cluster/analytics": "owned"}}
    any_pool = {**karpenter, "StringLike": {"aws:ResourceTag/karpenter.sh/nodepool": "*"}}
    profiles = f"{IAM}:instance-profile/*"
    return {
        "Cluster Autoscaler": (
            f"{github}/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md",
            identity(
                allow(
                    [
                        *_actions("autoscaling", "DescribeAutoScalingGroups DescribeAutoScalingInstances DescribeTags"),
                        *_actions("autoscaling", "SetDesiredCapacity TerminateInstanceInAutoScalingGroup"),
                        *_actions("ec2", "DescribeImages DescribeInstanceTypes DescribeLaunchTemplateVersions"),
                        "eks:DescribeNodegroup",
                    ],
                    ["*"],
                )
            ),
        ),
        "Cluster Autoscaler of one cluster": (
            f"{github}/terraform-aws-modules/terraform-aws-iam/blob/master/modules/iam-role-for-service-accounts",
            identity(
                allow(_actions("autoscaling", "DescribeAutoScalingGroups DescribeTags")),
                allow(
                    _actions("autoscaling", "SetDesiredCapacity TerminateInstanceInAutoScalingGroup"),
                    Condition={"StringEquals": {"autoscaling:ResourceTag/kubernetes.io/cluster/analytics": "owned"}},
                ),
            ),
        ),
        "ExternalDNS": (
            f"{github}/kubernetes-sigs/external-dns/blob/master/docs/tutorials/aws.md",
            [
                *identity(
                    allow("route53:ChangeResourceRecordSets", ["arn:aws:route53:::hostedzone/*"]),
                    allow(_actions("route53", "ListHostedZones ListResourceRecordSets ListTagsForResources"), ["*"]),
                ),
                cluster_role(resources=["services", "endpoints", "pods"], verbs=["get", "watch", "list"]),
                bound("own", "ServiceAccount", "external-dns"),
            ],
        ),
        "AWS Load Balancer Controller": (
            f"{github}/kubernetes-sigs/aws-load-balancer-controller/blob/v3.5.0/docs/install/iam_policy.json",
            identity(
                allow(
                    "iam:CreateServiceLinkedRole",
                    Condition={"StringEquals": {"iam:AWSServiceName": f"{elb}.amazonaws.com"}},
                ),
                allow(["ec2:DescribeSubnets", "ec2:GetSecurityGroupsForVpc", f"{elb}:DescribeLoadBalancers"]),
                allow(
                    [
                        *_actions("wafv2", "GetWebACL AssociateWebACL DisassociateWebACL"),
                        *_actions("shield", "DescribeProtection CreateProtection DeleteProtection"),
                    ]
                ),
                allow(_actions("ec2", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress")),
                allow("ec2:CreateSecurityGroup"),
                allow(
                    "ec2:CreateTags",
                    groups,
                    Condition={"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}, **_there(on_request)},
                ),
                allow(
                    _actions("ec2", "CreateTags DeleteTags"),
                    groups,
                    Condition={"Null": {on_request: "true", on_resource: "false"}},
                ),
                allow(
                    _actions("ec2", "AuthorizeSecurityGroupIngress DeleteSecurityGroup"), Condition=_there(on_resource)
                ),
                allow(_actions(elb, "CreateLoadBalancer CreateTargetGroup"), Condition=_there(on_request)),
                allow(_actions(elb, "CreateListener DeleteListener CreateRule DeleteRule")),
                allow(_actions(elb, "AddTags RemoveTags"), balancers, Condition=_there(on_resource)),
                allow(_actions(elb, "AddTags RemoveTags"), listeners),
                allow(_actions(elb, "ModifyLoadBalancerAttributes DeleteLoadBalancer"), Condition=_there(on_resource)),
                allow(_actions(elb, "RegisterTargets DeregisterTargets"), balancers[0]),
                allow(
                    _actions(
                        elb,
                        "SetWebAcl ModifyListener AddListenerCertificates RemoveListenerCertificates ModifyRule "
                        "SetRulePriorities",
                    )
                ),
            ),
        ),
        "Amazon EBS CSI driver": (
            f"{github}/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/example-iam-policy.json",
            identity(
                allow(_actions("ec2", "DescribeInstances DescribeVolumes DescribeVolumeStatus")),
                allow(_actions("ec2", "CreateSnapshot ModifyVolume"), volumes),
                allow(_actions("ec2", "AttachVolume DetachVolume"), [volumes, "arn:aws:ec2:*:*:instance/*"]),
                allow(
                    "ec2:CreateTags",
                    [volumes, snapshots],
                    Condition={"StringEquals": {"ec2:CreateAction": ["CreateVolume", "CreateSnapshot"]}},
                ),
                allow("ec2:DeleteTags", [volumes, snapshots]),
                allow("ec2:CreateVolume", volumes, Condition={"StringLike": {"aws:RequestTag/CSIVolumeName": "*"}}),
                allow(
                    "ec2:DeleteVolume",
                    volumes,
                    Condition={"StringLike": {"ec2:ResourceTag/kubernetes.io/created-for/pvc/name": "*"}},
                ),
                allow(
                    "kms:CreateGrant",
                    f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                    Condition={"Bool": {"kms:GrantIsForAWSResource": True}},
                ),
            ),
        ),
        "Amazon EFS CSI driver": (
            f"{github}/kubernetes-sigs/aws-efs-csi-driver/blob/master/docs/iam-policy-example.json",
            identity(
                allow(_actions("elasticfilesystem", "DescribeAccessPoints DescribeFileSystems")),
                allow(
                    "elasticfilesystem:CreateAccessPoint",
                    Condition={"StringLike": {"aws:RequestTag/efs.csi.aws.com/cluster": "true"}},
                ),
                allow(
                    "elasticfilesystem:DeleteAccessPoint", Condition=_tagged("efs.csi.aws.com/cluster", value="true")
                ),
            ),
        ),
        "Karpenter": (
            "https://karpenter.sh/v1.14/reference/cloudformation/",
            [
                *identity(
                    allow(
                        _actions("ec2", "RunInstances CreateFleet"),
                        [f"arn:aws:ec2:{REGION}::image/*", f"arn:aws:ec2:{REGION}:*:subnet/*"],
                    ),
                    allow("ec2:RunInstances", f"arn:aws:ec2:{REGION}:*:launch-template/*", Condition=any_pool),
                    allow(
                        "ec2:CreateTags",
                        f"arn:aws:ec2:{REGION}:*:instance/*",
                        Condition={
                            **any_pool,
                            "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": "analytics"},
                            "ForAllValues:StringEquals": {"aws:TagKeys": ["karpenter.sh/nodeclaim", "Name"]},
                        },
                    ),
                    allow("ec2:TerminateInstances", f"arn:aws:ec2:{REGION}:*:instance/*", Condition=any_pool),
                    allow(
                        "iam:PassRole",
                        f"{IAM}:role/KarpenterNodeRole-analytics",
                        Condition={
                            "StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]}
                        },
                    ),
                    allow(
                        _actions("iam", "AddRoleToInstanceProfile RemoveRoleFromInstanceProfile DeleteInstanceProfile"),
                        profiles,
                        Condition={**karpenter, "StringLike": {"aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass": "*"}},
                    ),
                    allow("ssm:GetParameter", f"arn:aws:ssm:{REGION}::parameter/aws/service/*"),
                    allow("pricing:GetProducts"),
                    allow("iam:GetInstanceProfile", profiles),
                ),
                *role(
                    document(
                        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": ["sts:AssumeRole"]}
                    ),
                    managedPolicyArns=[
                        f"arn:aws:iam::aws:policy/{name}"
                        for name in (
                            "AmazonEKS_CNI_Policy",
                            "AmazonEKSWorkerNodePolicy",
                            "AmazonSSMManagedInstanceCore",
                        )
                    ],
                ),
            ],
        ),
        "Amazon VPC CNI": (
            f"{DOCS}/aws-managed-policy/latest/reference/AmazonEKS_CNI_Policy.html",
            identity(
                allow(
                    _actions(
                        "ec2",
                        "AssignPrivateIpAddresses AttachNetworkInterface CreateNetworkInterface DeleteNetworkInterface "
                        "DescribeInstances DetachNetworkInterface ModifyNetworkInterfaceAttribute "
                        "UnassignPrivateIpAddresses",
                    )
                ),
                allow("ec2:CreateTags", ["arn:aws:ec2:*:*:network-interface/*"]),
            ),
        ),
        "nodes": (
            f"{DOCS}/aws-managed-policy/latest/reference/AmazonEKSWorkerNodePolicy.html",
            identity(
                allow(["ec2:DescribeInstances", "eks:DescribeCluster", "eks-auth:AssumeRoleForPodIdentity"]),
                allow(_actions("ecr", "GetAuthorizationToken BatchGetImage BatchImportUpstreamImage")),
            ),
        ),
        "cert-manager": (
            "https://cert-manager.io/docs/configuration/acme/dns01/route53/",
            identity(
                allow("route53:GetChange", "arn:aws:route53:::change/*"),
                allow(
                    _actions("route53", "ChangeResourceRecordSets ListResourceRecordSets"),
                    "arn:aws:route53:::hostedzone/*",
                    Condition={"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]}},
                ),
                allow("route53:ListHostedZonesByName"),
            ),
        ),
        "External Secrets": (
            "https://external-secrets.io/latest/provider/aws-secrets-manager/",
            identity(
                allow(_actions("secretsmanager", "ListSecrets BatchGetSecretValue")),
                allow(
                    _actions("secretsmanager", "GetResourcePolicy GetSecretValue DescribeSecret ListSecretVersionIds"),
                    [f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:prod-*"],
                ),
                allow("ssm:GetParameter*", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/dev-*"),
            ),
        ),
        "Velero": (
            f"{github}/vmware-tanzu/velero-plugin-for-aws#set-permissions-for-velero",
            [
                *identity(
                    allow(
                        _actions(
                            "ec2",
                            "DescribeVolumes DescribeSnapshots CreateTags CreateVolume CreateSnapshot DeleteSnapshot",
                        )
                    ),
                    allow(_actions("s3", "GetObject DeleteObject PutObject"), ["arn:aws:s3:::velero-files/*"]),
                    allow(["s3:ListBucket"], ["arn:aws:s3:::velero-files"]),
                ),
                bound("cluster-admin", "ServiceAccount", "velero"),
            ],
        ),
        "AWS Node Termination Handler": (
            f"{github}/aws/aws-node-termination-handler#5-create-an-iam-role-for-the-pods",
            identity(
                allow(["autoscaling:CompleteLifecycleAction", "autoscaling:DescribeTags", "ec2:DescribeInstances"]),
                allow(_actions("sqs", "DeleteMessage ReceiveMessage"), f"arn:aws:sqs:{REGION}:{ACCOUNT}:nth"),
            ),
        ),
        "CloudWatch agent": (
            f"{DOCS}/aws-managed-policy/latest/reference/CloudWatchAgentServerPolicy.html",
            identity(
                allow(
                    [
                        "cloudwatch:PutMetricData",
                        "ec2:DescribeTags",
                        *_actions(
                            "logs", "PutLogEvents PutRetentionPolicy DescribeLogStreams CreateLogStream CreateLogGroup"
                        ),
                        *_actions("xray", "PutTraceSegments PutTelemetryRecords GetSamplingRules"),
                    ]
                ),
                allow("ssm:GetParameter", "arn:aws:ssm:*:*:parameter/AmazonCloudWatch-*"),
            ),
        ),
        "Grafana": (
            "https://grafana.com/docs/grafana/latest/datasources/aws-cloudwatch/configure/",
            identity(
                allow(
                    [
                        *_actions(
                            "cloudwatch", "DescribeAlarmsForMetric ListMetrics GetMetricData GetInsightRuleReport"
                        ),
                        *_actions("logs", "DescribeLogGroups GetLogGroupFields StartQuery StopQuery GetQueryResults"),
                        *_actions("ec2", "DescribeTags DescribeInstances DescribeRegions"),
                        "logs:FilterLogEvents",
                        "tag:GetResources",
                    ]
                )
            ),
        ),
        "an application that asks models and translates": (
            f"{DOCS}/bedrock/latest/userguide/security_iam_id-based-policy-examples.html",
            identity(
                allow(
                    [
                        *_actions("bedrock", "InvokeModel InvokeModelWithResponseStream"),
                        *_actions("translate", "TranslateDocument TranslateText"),
                    ]
                )
            ),
        ),
        "a function in a VPC that writes logs": (
            f"{DOCS}/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html",
            identity(
                allow(
                    [
                        *_actions("logs", "CreateLogGroup CreateLogStream PutLogEvents"),
                        *_actions("ec2", "CreateNetworkInterface DescribeNetworkInterfaces DeleteNetworkInterface"),
                        *_actions("ec2", "AssignPrivateIpAddresses UnassignPrivateIpAddresses"),
                    ]
                ),
                allow(_actions("logs", "CreateLogGroup CreateLogStream PutLogEvents"), "arn:aws:logs:*:*:*"),
            ),
        ),
        "Systems Manager for tagged instances": (
            f"{DOCS}/systems-manager/latest/userguide/run-command-setting-up.html",
            identity(
                allow("ssm:SendCommand", ["arn:aws:ssm:*:*:document/*"]),
                allow(
                    ["ssm:SendCommand"],
                    ["arn:aws:ec2:*:*:instance/*"],
                    Condition={"StringLike": {"ssm:resourceTag/Finance": ["WebServers"]}},
                ),
                allow("ssm:TerminateSession", "arn:aws:ssm:*:*:session/${aws:userid}-*"),
            ),
        ),
        "users who care for their own credentials": (
            f"{DOCS}/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html",
            identity(
                allow(
                    _actions(
                        "iam", "CreateAccessKey DeleteAccessKey UpdateAccessKey UpdateLoginProfile ChangePassword"
                    ),
                    "arn:aws:iam::*:user/${aws:username}",
                ),
                {**allow("iam:DeactivateMFADevice", "arn:aws:iam::*:user/${aws:username}")},
            ),
        ),
        "delegated administration within a boundary": (
            f"{DOCS}/IAM/latest/UserGuide/access_policies_boundaries.html",
            identity(
                allow(
                    _actions("iam", "AttachRolePolicy PutRolePolicy DetachRolePolicy PutRolePermissionsBoundary"),
                    f"{IAM}:role/*",
                    Condition={"StringEquals": {"iam:PermissionsBoundary": f"{IAM}:policy/XCompanyBoundaries"}},
                )
            ),
        ),
    }


def _trusts() -> Mapping[str, Program]:
    pool = {
        "StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:12345678-corner-cafe-123456790ab"},
        "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
    }
    cognito = document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Condition": pool,
        }
    )
    pods = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}}
    by_arn = {"ArnLike": {"aws:PrincipalArn": f"{IAM}:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Deploy_*"}}
    return {
        "a role of Cognito's users": (
            f"{DOCS}/cognito/latest/developerguide/role-trust-and-permissions.html",
            role(cognito),
        ),
        "a role of GitHub Actions": (
            "https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws",
            oidc(
                GITHUB,
                StringEquals={f"{GITHUB}:aud": "sts.amazonaws.com"},
                StringLike={f"{GITHUB}:sub": "repo:octo-org/octo-repo:*"},
            ),
        ),
        "a role of a project in GitLab": (
            "https://docs.gitlab.com/ci/cloud_services/aws/",
            oidc(
                GITLAB,
                StringEquals={
                    f"{GITLAB}:aud": "https://gitlab.com",
                    f"{GITLAB}:sub": "project_path:mygroup/sub/myproject:ref_type:branch:ref:main",
                },
            ),
        ),
        "a role of a project in GitLab, as its guide has it": (
            "https://docs.gitlab.com/ci/cloud_services/aws/",
            oidc(GITLAB, StringEquals={f"{GITLAB}:sub": "project_path:mygroup/myproject:ref_type:branch:ref:main"}),
        ),
        "a role of HCP Terraform": (
            "https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/aws-configuration",
            oidc(
                "app.terraform.io",
                StringEquals={"app.terraform.io:aud": "aws.workload.identity"},
                StringLike={"app.terraform.io:sub": "organization:own:project:data:workspace:prod:run_phase:*"},
            ),
        ),
        "a role of service accounts in a namespace": (
            f"{DOCS}/eks/latest/userguide/associate-service-account-role.html",
            oidc(
                EKS,
                StringEquals={f"{EKS}:aud": "sts.amazonaws.com"},
                StringLike={f"{EKS}:sub": "system:serviceaccount:dash:*"},
            ),
        ),
        "a role of EKS Pod Identity": (
            f"{DOCS}/eks/latest/userguide/pod-id-role.html",
            role(document({**pods, "Action": ["sts:AssumeRole", "sts:TagSession"]})),
        ),
        "a role of people who sign in through IAM Identity Center": (
            f"{DOCS}/singlesignon/latest/userguide/referencingpermissionsets.html",
            role(
                document(
                    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": by_arn}
                )
            ),
        ),
    }


def _shared() -> Mapping[str, Program]:
    objects, from_us = "arn:aws:s3:::files/*", {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    queue, topic = "aws:sqs/queuePolicy:QueuePolicy", "aws:sns/topicPolicy:TopicPolicy"
    distribution = {"StringEquals": {"AWS:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/EDFDVBD6EXAMPLE"}}
    trail = {"StringEquals": {"aws:SourceArn": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/management"}}
    owner_controls = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    own_endpoint = {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}
    from_elsewhere = {"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}
    mounted = {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}
    root = {"AWS": f"{IAM}:root"}
    deny_insecure = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "*",
        "Resource": "*",
        "Condition": tls()["Condition"],
    }
    in_organization = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    layers = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/*"
    return {
        "a bucket behind CloudFront": (
            f"{DOCS}/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html",
            bucket_with(tls(), _in("cloudfront", "s3:GetObject", objects, Condition=distribution)),
        ),
        "a bucket of one VPC endpoint": (
            f"{DOCS}/AmazonS3/latest/userguide/example-bucket-policies-vpc-endpoint.html",
            bucket_with(
                tls(),
                _in("*", "s3:GetObject", objects, Condition=own_endpoint),
                {**_in("*", "s3:*", objects, Condition=from_elsewhere), "Effect": "Deny"},
            ),
        ),
        "a bucket of all who do not come from elsewhere": (
            f"{DOCS}/vpc/latest/privatelink/vpc-endpoints-s3.html",
            bucket_with(
                tls(),
                _in("*", ["s3:GetObject", "s3:PutObject"], objects),
                {
                    **_in("*", "s3:*", ["arn:aws:s3:::files", objects], Condition=from_elsewhere),
                    "Effect": "Deny",
                },
            ),
        ),
        "a bucket of an organization": (
            f"{DOCS}/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid",
            bucket_with(tls(), _in("*", "s3:GetObject", objects, Condition=in_organization)),
        ),
        "a bucket of access logs of load balancers": (
            f"{DOCS}/elasticloadbalancing/latest/application/enable-access-logging.html",
            bucket_with(
                tls(),
                _in("logdelivery.elasticloadbalancing", "s3:PutObject", f"arn:aws:s3:::files/lb/AWSLogs/{ACCOUNT}/*"),
            ),
        ),
        "a bucket of CloudTrail": (
            f"{DOCS}/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html",
            bucket_with(
                tls(),
                _in("cloudtrail", "s3:GetBucketAcl", "arn:aws:s3:::files"),
                _in(
                    "cloudtrail",
                    "s3:PutObject",
                    f"arn:aws:s3:::files/AWSLogs/{ACCOUNT}/*",
                    Condition={"StringEquals": {**trail["StringEquals"], **owner_controls["StringEquals"]}},
                ),
            ),
        ),
        "a bucket of flow logs": (
            f"{DOCS}/vpc/latest/userguide/flow-logs-s3-permissions.html",
            bucket_with(
                tls(),
                _in(
                    "delivery.logs",
                    "s3:PutObject",
                    f"arn:aws:s3:::files/AWSLogs/{ACCOUNT}/*",
                    Condition={
                        "StringEquals": {**from_us["StringEquals"], **owner_controls["StringEquals"]},
                        "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:*"},
                    },
                ),
                _in("delivery.logs", "s3:GetBucketAcl", "arn:aws:s3:::files", Condition=from_us),
            ),
        ),
        "a queue of a bucket's events": (
            f"{DOCS}/AmazonS3/latest/userguide/ways-to-add-notification-config-to-bucket.html",
            _policy(
                queue,
                _in(
                    "s3", "SQS:SendMessage", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:files"}, **from_us}
                ),
            ),
        ),
        "a queue of a topic": (
            f"{DOCS}/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html",
            _policy(
                queue,
                _in(
                    "sns",
                    "sqs:SendMessage",
                    Condition={"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:orders"}},
                ),
                {**deny_insecure, "Action": "sqs:*"},
            ),
        ),
        "a topic as SNS makes it": (
            f"{DOCS}/sns/latest/dg/sns-access-policy-use-cases.html",
            _policy(
                topic,
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": _actions("SNS", "GetTopicAttributes SetTopicAttributes Subscribe Publish"),
                    "Resource": f"arn:aws:sns:{REGION}:{ACCOUNT}:orders",
                    "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
                },
                _in("cloudwatch", "SNS:Publish", Condition=from_us),
            ),
        ),
        "a key for the logs of its account": (
            f"{DOCS}/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
            [
                Made(
                    "aws:kms/key:Key",
                    "key",
                    {
                        "enableKeyRotation": True,
                        "policy": document(
                            {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
                            _in(
                                "logs.us-east-1",
                                ["kms:Encrypt*", "kms:Decrypt*"],
                                Condition={
                                    "ArnLike": {
                                        "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:*"
                                    }
                                },
                            ),
                        ),
                        "tags": TAGS,
                    },
                )
            ],
        ),
        "a key that the account uses through a service": (
            f"{DOCS}/kms/latest/developerguide/conditions-kms.html#conditions-kms-caller-account",
            _policy(
                "aws:kms/replicaKey:ReplicaKey",
                _in(
                    "*",
                    ["kms:Decrypt", "kms:GenerateDataKey*", "kms:CreateGrant"],
                    Condition={
                        "StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": "ec2.us-east-1.amazonaws.com"}
                    },
                ),
            ),
        ),
        "a file system that clients mount": (
            f"{DOCS}/efs/latest/ug/access-control-block-public-access.html",
            _policy(
                "aws:efs/fileSystemPolicy:FileSystemPolicy",
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": _actions("elasticfilesystem", "ClientRootAccess ClientWrite ClientMount"),
                    "Resource": "*",
                    "Condition": mounted,
                },
                deny_insecure,
            ),
        ),
        "a backup vault that nobody can empty": (
            f"{DOCS}/aws-backup/latest/devguide/create-a-vault-access-policy.html",
            _policy(
                "aws:backup/vaultPolicy:VaultPolicy",
                {**_in("*", "backup:DeleteRecoveryPoint"), "Effect": "Deny"},
                {**_in("*", "backup:CopyIntoBackupVault"), "Condition": in_organization},
            ),
        ),
        "a repository of an organization": (
            f"{DOCS}/AmazonECR/latest/userguide/repository-policy-examples.html",
            _policy(
                "aws:ecr/repositoryPolicy:RepositoryPolicy",
                _in("*", ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Condition=in_organization),
                _in("lambda", ["ecr:BatchGetImage"]),
            ),
        ),
        "an endpoint of S3 that brings images": (
            f"{DOCS}/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms",
            _policy("aws:ec2/vpcEndpoint:VpcEndpoint", _in("*", ["s3:GetObject"], [layers])),
        ),
        "an endpoint of CloudWatch Logs": (
            f"{DOCS}/AmazonCloudWatch/latest/logs/cloudwatch-logs-and-interface-VPC.html",
            _policy("aws:ec2/vpcEndpoint:VpcEndpoint", _in("*", ["logs:CreateLogStream", "logs:PutLogEvents"])),
        ),
        "an endpoint of one organization": (
            f"{DOCS}/vpc/latest/privatelink/vpc-endpoints-access.html",
            _policy(
                "aws:ec2/vpcEndpoint:VpcEndpoint",
                _in("*", "*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
            ),
        ),
        "functions that are called for the account": (
            f"{DOCS}/lambda/latest/dg/permissions-function-services.html",
            [
                *permission("s3.amazonaws.com", sourceAccount=ACCOUNT, sourceArn="arn:aws:s3:::files"),
                Made(
                    "aws:lambda/permission:Permission",
                    "api",
                    {
                        "action": "lambda:InvokeFunction",
                        "function": "f",
                        "principal": "apigateway.amazonaws.com",
                        "sourceArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc123/*/GET/items",
                    },
                ),
                Made(
                    "aws:lambda/functionUrl:FunctionUrl", "url", {"functionName": "f", "authorizationType": "AWS_IAM"}
                ),
            ],
        ),
    }


def _in_the_cluster() -> Mapping[str, Program]:
    kubernetes = "https://kubernetes.io/docs"
    entry = {"clusterName": "analytics", "principalArn": f"{IAM}:role/operators", "tags": TAGS}
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    return {
        "the discovery of Kubernetes": (
            f"{kubernetes}/reference/access-authn-authz/rbac/#discovery-roles",
            [bound("system:public-info-viewer", "Group", "system:unauthenticated")],
        ),
        "the keys of service accounts for others": (
            f"{kubernetes}/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery",
            [bound("system:service-account-issuer-discovery", "Group", "system:unauthenticated")],
        ),
        "Argo CD": (
            "https://github.com/argoproj/argo-cd/tree/master/manifests/cluster-rbac/application-controller",
            [
                cluster_role(resources=["*"], verbs=["*"]),
                bound("own", "ServiceAccount", "argocd-application-controller"),
            ],
        ),
        "an administrator of the cluster": (
            f"{DOCS}/eks/latest/userguide/access-policies.html",
            [
                Made("aws:eks/accessEntry:AccessEntry", "entry", entry),
                Made(
                    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
                    "association",
                    {
                        "clusterName": "analytics",
                        "principalArn": f"{IAM}:role/operators",
                        "policyArn": policy,
                        "accessScope": {"type": "cluster"},
                    },
                ),
            ],
        ),
    }


PROGRAMS: Mapping[str, Program] = {**_controllers(), **_trusts(), **_shared(), **_in_the_cluster()}
