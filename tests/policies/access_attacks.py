"""Ways to let somebody in, or to give somebody every right, which look harmless; and the rule that finds each."""

from collections.abc import Mapping
from typing import Any

from policy_cases import TAGS, allow, bound, cluster_role, document, trust
from policy_world import Made

ACCOUNT = "123456789012"
IAM = f"arn:aws:iam::{ACCOUNT}"
GITHUB, GITLAB, EKS = "token.actions.githubusercontent.com", "gitlab.com", "oidc.eks.us-east-1.amazonaws.com/id/1"
Attack = tuple[str, list[Made]]
"""The rule, and what it is to find."""


def identity(*statements: Mapping[str, Any], kind: str = "aws:iam/policy:Policy") -> list[Made]:
    return [Made(kind, "policy", {"policy": document(*statements), "tags": TAGS})]


def of_resource(kind: str, action: str, principal: Any = "*", **more: Any) -> list[Made]:
    """A resource whose policy allows `action`."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}
    name = {"accessPolicies": "es:ESHttp", "accessPolicy": "glacier:"}
    key = next((key for key, prefix in name.items() if action.startswith(prefix)), "policy")
    return [Made(kind, "shared", {key: document(statement), "tags": TAGS})]


def queue(principal: Any = "*", **more: Any) -> list[Made]:
    return of_resource("aws:sqs/queuePolicy:QueuePolicy", "sqs:SendMessage", principal, **more)


def closed_by(**deny: Any) -> list[Made]:
    """A queue for everybody, and a statement that takes it back but for what it says."""
    of_all = {"Principal": "*", "Action": "sqs:*", "Resource": "*"}
    statements = ({"Effect": "Allow", **of_all}, {"Effect": "Deny", **of_all, **deny})
    return [Made("aws:sqs/queuePolicy:QueuePolicy", "shared", {"policy": document(*statements)})]


def role(assumed_by: str | Mapping[str, Any], **props: Any) -> list[Made]:
    return [Made("aws:iam/role:Role", "role", {"assumeRolePolicy": assumed_by, "tags": TAGS, **props})]


def oidc(provider: str, **condition: Any) -> list[Made]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"{IAM}:oidc-provider/{provider}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    return role(document(statement))


def trusting(principal: Any, **more: Any) -> list[Made]:
    return role(document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}))


def github(subject: str, operator: str = "StringLike") -> list[Made]:
    aud = {f"{GITHUB}:aud": "sts.amazonaws.com"}
    compared: dict[str, Any] = {"StringEquals": aud}
    compared[operator] = {**compared.get(operator, {}), f"{GITHUB}:sub": subject}
    return oidc(GITHUB, **compared)


def permission(principal: str, **props: Any) -> list[Made]:
    function = {"action": "lambda:InvokeFunction", "function": "f", "principal": principal}
    return [Made("aws:lambda/permission:Permission", "permission", {**function, **props})]


def bucket_with(*statements: Mapping[str, Any]) -> list[Made]:
    """A bucket that is in order but for the statements that its policy has."""
    blocks = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    encryption = {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]}
    refs = {"bucket": "files"}
    return [
        Made("aws:s3/bucket:Bucket", "files", {"bucket": "files", "tags": TAGS}),
        Made("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "block", dict.fromkeys(blocks, True), refs),
        Made("aws:s3/bucketPolicy:BucketPolicy", "bucket-policy", {"policy": document(*statements)}, refs),
        Made(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "encryption",
            encryption,
            refs,
        ),
    ]


def tls(condition: Any = None, **more: Any) -> dict[str, Any]:
    """The usual statement that refuses requests without TLS, but for what is given."""
    resources = ["arn:aws:s3:::files", "arn:aws:s3:::files/*"]
    condition = condition or {"Bool": {"aws:SecureTransport": "false"}}
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources, "Condition": condition, **more}


def _everybody() -> Mapping[str, Attack]:
    """Everybody, with a condition that limits nobody."""
    conditions: Mapping[str, Any] = {
        "the whole IPv4 internet": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
        "the whole IPv6 internet": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/0"]}},
        "the internet in two halves": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
        "the internet in sixteen parts": {
            "IpAddress": {"aws:SourceIp": [f"{one}.0.0.0/4" for one in range(0, 256, 16)]}
        },
        "the internet in large networks": {
            "IpAddress": {"aws:SourceIp": [f"{one}.0.0.0/8" for one in range(1, 255, 3)]}
        },
        "roles of any account": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}},
        "a role's name in any account": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}},
        "accounts of twelve digits": {"StringLike": {"aws:PrincipalAccount": "????????????"}},
        "accounts that begin with 1": {"StringLike": {"aws:PrincipalAccount": "1*"}},
        "an account or any": {"StringLike": {"aws:PrincipalAccount": [ACCOUNT, "*"]}},
        "any organization": {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        "an organization, if there is one": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        "whoever is in an organization at all": {"Null": {"aws:PrincipalOrgID": "false"}},
        "all values of no values": {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        "others than one organization": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        "any place in any organization": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-*/*"}},
        "outside of one network": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        "any endpoint": {"StringLike": {"aws:SourceVpce": "vpce-*"}},
        "any caller's own account": {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}},
        "a private address in any VPC": {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}},
        "a word in the header": {"StringEquals": {"aws:UserAgent": "analytics"}},
        "a tag that callers give themselves": {"StringEquals": {"aws:PrincipalTag/team": "data"}},
        "users, roles and accounts": {"StringEquals": {"aws:PrincipalType": ["Account", "AssumedRole", "User"]}},
        "sessions of any role": {"StringLike": {"aws:userId": "AROA*:*"}},
        "any rule of EventBridge": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}},
        "buckets with a common prefix": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::files-*"}},
        "TLS": {"Bool": {"aws:SecureTransport": "true"}},
        "a second factor": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        "a day": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}},
    }
    principals: Mapping[str, Any] = {
        "a list": {"AWS": ["*"]},
        "two kinds": {"Service": "events.amazonaws.com", "AWS": "*"},
        "everybody's root": {"AWS": "arn:aws:iam::*:root"},
        "all roles of an account": {"AWS": f"{IAM}:role/*"},
        "every service": {"Service": "*"},
        "every identity provider": {"Federated": "*"},
    }
    elsewhere = {"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}
    denies: Mapping[str, Any] = {
        "of other networks that names none": {"Condition": {"StringNotLike": {"aws:SourceVpce": "vpce-*"}}},
        "of one action only": {"Action": "sqs:SendMessage", "Condition": elsewhere},
        "of actions of one letter": {"Action": "sqs:?", "Condition": elsewhere},
        "of another queue": {"Resource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:other", "Condition": elsewhere},
        "of no address": {"Condition": {"NotIpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}},
        "of AWS's services from elsewhere": {"Condition": {**elsewhere, "Bool": {"aws:PrincipalIsAWSService": "true"}}},
        "of those whose key is there": {
            "Condition": {"ForAnyValue:StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}
        },
        "of one account": {"Principal": {"AWS": f"{IAM}:root"}, "Condition": elsewhere},
    }
    rule = "refuse-public-resource-policies"
    return {
        **{f"everybody: {name}": (rule, queue(Condition=one)) for name, one in conditions.items()},
        **{f"everybody as {name}": (rule, queue(one)) for name, one in principals.items()},
        "everybody but one": (
            rule,
            [
                Made(
                    "aws:sqs/queuePolicy:QueuePolicy",
                    "shared",
                    {"policy": document({**allow("sqs:*"), "NotPrincipal": {"AWS": f"{IAM}:user/x"}})},
                )
            ],
        ),
        "everybody, in a document that is no text": (
            rule,
            [
                Made(
                    "aws:sqs/queuePolicy:QueuePolicy",
                    "shared",
                    {
                        "policy": {
                            "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
                        }
                    },
                )
            ],
        ),
        **{f"everybody, and a deny {name}": (rule, closed_by(**deny)) for name, deny in denies.items()},
    }


def _shared() -> Mapping[str, Attack]:
    """Policies of all kinds of resources that are open to everybody."""
    kinds = {
        "a file system": ("aws:efs/fileSystemPolicy:FileSystemPolicy", "elasticfilesystem:ClientMount"),
        "a repository of images": ("aws:ecr/repositoryPolicy:RepositoryPolicy", "ecr:BatchGetImage"),
        "a registry": ("aws:ecr/registryPolicy:RegistryPolicy", "ecr:ReplicateImage"),
        "a backup vault": ("aws:backup/vaultPolicy:VaultPolicy", "backup:CopyIntoBackupVault"),
        "an event bus": ("aws:cloudwatch/eventBusPolicy:EventBusPolicy", "events:PutEvents"),
        "an access point": ("aws:s3/accessPoint:AccessPoint", "s3:GetObject"),
        "an access point's own policy": ("aws:s3control/accessPointPolicy:AccessPointPolicy", "s3:GetObject"),
        "a replica of a key": ("aws:kms/replicaKey:ReplicaKey", "kms:*"),
        "a key of an external store": ("aws:kms/externalKey:ExternalKey", "kms:Decrypt"),
        "an interface endpoint": ("aws:ec2/vpcEndpoint:VpcEndpoint", "*"),
        "an endpoint of S3": ("aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy", "s3:*"),
        "a secret": ("aws:secretsmanager/secretPolicy:SecretPolicy", "secretsmanager:GetSecretValue"),
        "a topic": ("aws:sns/topic:Topic", "sns:Publish"),
        "a vault of Glacier": ("aws:glacier/vault:Vault", "glacier:InitiateJob"),
        "a domain of OpenSearch": ("aws:opensearch/domain:Domain", "es:ESHttpGet"),
        "a domain of Elasticsearch": ("aws:elasticsearch/domainPolicy:DomainPolicy", "es:ESHttp*"),
        "a table": ("aws:dynamodb/resourcePolicy:ResourcePolicy", "dynamodb:GetItem"),
        "a stream": ("aws:kinesis/resourcePolicy:ResourcePolicy", "kinesis:GetRecords"),
        "the data catalog": ("aws:glue/resourcePolicy:ResourcePolicy", "glue:GetTable"),
        "a Kafka cluster": ("aws:msk/clusterPolicy:ClusterPolicy", "kafka:CreateVpcConnection"),
    }
    rule = "refuse-public-resource-policies"
    layer = {"layerName": "l", "principal": "*", "statementId": "s", "action": "lambda:GetLayerVersion"}
    return {
        **{f"{name} for everybody": (rule, of_resource(kind, action)) for name, (kind, action) in kinds.items()},
        "a function for everybody": (rule, permission("*")),
        "a function for everybody's APIs": (rule, permission("*", sourceArn="arn:aws:execute-api:us-east-1:*:*/*")),
        "a layer for everybody": (rule, [Made("aws:lambda/layerVersionPermission:LayerVersionPermission", "l", layer)]),
        "events from everybody": (
            rule,
            [Made("aws:cloudwatch/eventPermission:EventPermission", "p", {"principal": "*", "statementId": "s"})],
        ),
        "events from any organization": (
            rule,
            [
                Made(
                    "aws:cloudwatch/eventPermission:EventPermission",
                    "p",
                    {
                        "principal": "*",
                        "statementId": "s",
                        "condition": {"type": "StringLike", "key": "aws:PrincipalOrgID", "value": "o-*"},
                    },
                )
            ],
        ),
        "a function's URL without a question": (
            "authorize-function-urls",
            [Made("aws:lambda/functionUrl:FunctionUrl", "url", {"functionName": "f", "authorizationType": "NONE"})],
        ),
        "a permission for a URL without a question": (
            "authorize-function-urls",
            permission("*", action="lambda:InvokeFunctionUrl", functionUrlAuthType="NONE"),
        ),
    }


def _services() -> Mapping[str, Attack]:
    """Services of AWS that act for anybody."""
    rule, topic = "name-sources-of-services", "aws:sns/topicPolicy:TopicPolicy"
    of_distribution = {
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Effect": "Allow",
        "Action": "s3:GetObject",
    }
    any_rule = {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}
    some_account = {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}
    return {
        "a queue for S3's events of anybody": (rule, queue({"Service": "s3.amazonaws.com"})),
        "a queue for any topic": (rule, queue({"Service": ["sns.amazonaws.com"]}, Condition=any_rule)),
        "a topic for alarms of anybody": (
            rule,
            of_resource(topic, "sns:Publish", {"Service": "cloudwatch.amazonaws.com"}),
        ),
        "a topic for an account, if it is said": (
            rule,
            of_resource(topic, "sns:Publish", {"Service": "events.amazonaws.com"}, Condition=some_account),
        ),
        "a function for anybody's buckets": (rule, permission("s3.amazonaws.com")),
        "a function for any rule": (rule, permission("events.amazonaws.com", sourceArn="arn:aws:events:*:*:rule/*")),
        "a function for an account without a number": (rule, permission("s3.amazonaws.com", sourceAccount="")),
        "a bucket for any distribution": (
            rule,
            bucket_with(tls(), {**of_distribution, "Resource": "arn:aws:s3:::files/*"}),
        ),
    }


def _rights() -> Mapping[str, Attack]:
    """Statements with which the holder gets more than they seem to say."""
    rule = "limit-sensitive-actions"
    admin = "refuse-administrator-policies"
    roles, instances = f"{IAM}:role/*", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/*"
    run_shell = "arn:aws:ssm:us-east-1::document/AWS-RunShellScript"
    conditions: Mapping[str, Any] = {
        "from the internet": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
        "from the office": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        "from an endpoint": {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}},
        "with a second factor": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        "as a role": {"ArnLike": {"aws:PrincipalArn": f"{IAM}:role/*"}},
        "in a region": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        "on what has any tag": {"StringLike": {"aws:ResourceTag/team": "*"}},
        "on what has a tag": {"Null": {"aws:ResourceTag/team": "false"}},
        "on what is not tagged as another's": {"StringNotEquals": {"aws:ResourceTag/team": "security"}},
        "with a boundary, if there is one": {
            "StringEqualsIfExists": {"iam:PermissionsBoundary": f"{IAM}:policy/boundary"}
        },
        "with any boundary": {"ArnLike": {"iam:PermissionsBoundary": "arn:aws:iam::*:policy/*"}},
        "with AdministratorAccess as the boundary": {
            "StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}
        },
        "of any policy": {"ArnLike": {"iam:PolicyARN": "arn:aws:iam::*:policy/*"}},
    }
    changes = {
        "inline policies of all roles": allow("iam:PutRolePolicy", roles),
        "versions of all policies": allow("iam:CreatePolicyVersion", f"{IAM}:policy/*"),
        "attachments of all roles": allow("iam:AttachRolePolicy", "arn:aws:iam::*:role/*"),
        "the trust of all roles": allow("iam:UpdateAssumeRolePolicy", f"{IAM}:role*"),
        "what begins with Pu": allow("iam:Pu*", "*"),
        "what has wildcards in the service": allow("i*:*", "*"),
        "what has question marks": allow("iam:?ttach????Policy", "*"),
        "all roles by their paths": allow("iam:PutRolePolicy", f"{IAM}:role/*/*"),
        "all roles in parts": allow("iam:PutRolePolicy", [f"{IAM}:role/{letter}*" for letter in "abc"]),
        "all resources of IAM": allow("iam:SetDefaultPolicyVersion", f"{IAM}:*"),
        "all but one role": {"Effect": "Allow", "Action": "iam:AttachRolePolicy", "NotResource": f"{IAM}:role/admin"},
        "all but some actions, on roles": {"Effect": "Allow", "NotAction": "iam:DeleteRole", "Resource": roles},
        "new users, from the office": allow(
            "iam:CreateUser", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
        ),
        "all but the first of the rights over roles": {
            "Effect": "Allow",
            "NotAction": ["iam:AddClientIDToOpenIDConnectProvider", "s3:*"],
            "Resource": roles,
        },
        "keys of all users": allow("iam:CreateAccessKey", f"{IAM}:user/*"),
        "passwords of all users": allow("iam:UpdateLoginProfile", "*"),
        "members of all groups": allow("iam:AddUserToGroup", f"{IAM}:group/*"),
        "all roles to be taken": allow("sts:AssumeRole", "arn:aws:iam::*:role/*"),
        "all secrets": allow("secretsmanager:GetSecretValue"),
        "all secrets by their kind": allow("secretsmanager:Get*", "arn:aws:secretsmanager:*:*:secret:*"),
        "all secrets by their random end": allow(
            "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:*-??????"
        ),
        "all current secrets": allow(
            "secretsmanager:GetSecretValue", Condition={"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}}
        ),
        "all parameters": allow("ssm:GetParameter*", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/*"),
        "commands on all instances": allow("ssm:SendCommand", [instances, run_shell]),
        "shells on all instances": allow("ssm:StartSession", instances),
        "shells in all tasks": allow("ecs:ExecuteCommand", "arn:aws:ecs:*:*:task/*"),
        "keys to all instances": allow("ec2-instance-connect:SendSSHPublicKey", instances),
        "the policies of all keys": allow("kms:PutKeyPolicy", f"arn:aws:kms:*:{ACCOUNT}:key/*"),
        "the code of all functions": allow("lambda:UpdateFunctionCode", f"arn:aws:lambda:*:{ACCOUNT}:function:*"),
        "grants of all keys for people": allow(
            "kms:CreateGrant", "arn:aws:kms:*:*:key/*", Condition={"Bool": {"kms:GrantIsForAWSResource": "false"}}
        ),
        "builds of all projects": allow("codebuild:StartBuild", f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/*"),
        "the role of all stacks": allow("cloudformation:UpdateStack", "arn:aws:cloudformation:*:*:stack/*"),
        "the definitions of all state machines": allow(
            "states:UpdateStateMachine", f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:*"
        ),
        "the keys of all development endpoints": allow("glue:UpdateDevEndpoint", "arn:aws:glue:*:*:devEndpoint/*"),
        "all notebooks": allow(
            "sagemaker:CreatePresignedNotebookInstanceUrl", "arn:aws:sagemaker:*:*:notebook-instance/*"
        ),
        "user data of all instances": allow("ec2:ModifyInstanceAttribute", instances),
        "entries of all clusters": allow("eks:CreateAccessEntry", "arn:aws:eks:*:*:cluster/*"),
    }
    everything = {
        "colons": allow("*:*"),
        "question marks": allow("?*:?*"),
        "all of each letter": allow([f"{letter}*:*" for letter in "abcdefghijklmnopqrstuvwxyz"]),
        "all but one action": {"Effect": "Allow", "NotAction": "aws-portal:*", "Resource": "*"},
        "all ARNs": allow("*", "arn:aws:*:*:*:*"),
        "all but one resource": {"Effect": "Allow", "Action": "*", "NotResource": f"{IAM}:role/admin"},
    }
    return {
        **{f"iam:* {name}": (rule, identity(allow("iam:*", Condition=one))) for name, one in conditions.items()},
        **{f"the holder reaches {name}": (rule, identity(one)) for name, one in changes.items()},
        **{f"everything by {name}": (admin, identity(one)) for name, one in everything.items()},
        "an account's instances": (
            "limit-mutating-actions",
            identity(allow("ec2:TerminateInstances", f"arn:aws:ec2:*:{ACCOUNT}:*")),
        ),
        "instances, with a region that is any": (
            "limit-mutating-actions",
            identity(allow("ec2:TerminateInstances", Condition={"StringLike": {"aws:RequestedRegion": "*"}})),
        ),
        "part of what a controller may do": (
            "limit-mutating-actions",
            identity(allow("ec2:AuthorizeSecurityGroupIngress")),
        ),
        "passing to services of AWS": (
            "limit-pass-role",
            identity(allow("iam:PassRole", Condition={"StringLike": {"iam:PassedToService": "*.amazonaws.com"}})),
        ),
        "passing to a service, if it is said": (
            "limit-pass-role",
            identity(
                allow("iam:PassRole", Condition={"StringEqualsIfExists": {"iam:PassedToService": "ec2.amazonaws.com"}})
            ),
        ),
        "passing to all but one service": (
            "limit-pass-role",
            identity(
                allow("iam:PassRole", Condition={"StringNotEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})
            ),
        ),
        "passing by a wildcard": ("limit-pass-role", identity(allow("iam:Pass*", f"{IAM}:role/node"))),
    }


def _ways_in() -> Mapping[str, Attack]:
    """Rights by other ways than a managed policy of the program's own."""
    full, sensitive = "refuse-full-access-policies", "limit-sensitive-actions"
    aws = "arn:aws:iam::aws:policy"
    secrets = document(allow("secretsmanager:GetSecretValue"))
    exclusive = "PolicyAttachmentsExclusive"
    return {
        "an administrator of all users": (
            full,
            [Made("aws:iam/policyAttachment:PolicyAttachment", "a", {"policyArn": f"{aws}/AdministratorAccess"})],
        ),
        **{
            f"an administrator by the exclusive attachments of a {kind.lower()}": (
                full,
                [
                    Made(
                        f"aws:iam/{kind.lower()}{exclusive}:{kind}{exclusive}",
                        "a",
                        {"policyArns": [f"{aws}/IAMFullAccess"]},
                    )
                ],
            )
            for kind in ("Role", "User", "Group")
        },
        "an administrator by the job": (
            full,
            [
                Made(
                    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
                    "a",
                    {"policyArn": f"{aws}/job-function/SystemAdministrator"},
                )
            ],
        ),
        "a power user of another partition": (
            full,
            role(trust_of_nodes(), managedPolicyArns=["arn:aws-cn:iam::aws:policy/PowerUserAccess"]),
        ),
        "an administrator by a permission set": (
            full,
            [
                Made(
                    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment",
                    "a",
                    {"managedPolicyArn": f"{aws}/AdministratorAccess"},
                )
            ],
        ),
        "all secrets by a permission set": (
            sensitive,
            [Made("aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy", "a", {"inlinePolicy": secrets})],
        ),
        **{
            f"all secrets for a {kind}": (
                sensitive,
                [Made(f"aws:iam/{kind}Policy:{kind.title()}Policy", "a", {"policy": secrets})],
            )
            for kind in ("user", "group", "role")
        },
        "all secrets within the role": (
            sensitive,
            role(trust_of_nodes(), inlinePolicies=[{"name": "own", "policy": secrets}]),
        ),
        "a member of the administrators": (
            "limit-administrators",
            [Made("aws:iam/groupMembership:GroupMembership", "m", {"group": "Administrators", "users": ["eve"]})],
        ),
    }


def trust_of_nodes() -> str:
    return document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


def _trust() -> Mapping[str, Attack]:
    """Roles that more can take than it seems."""
    rule = "limit-trust"
    pod = {f"{EKS}:sub": "system:serviceaccount:kube-system:velero"}
    aud = {f"{EKS}:aud": "sts.amazonaws.com"}
    found = {
        "all roles of everybody": trusting(
            {"AWS": "*"}, Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}
        ),
        "all roles of an account": trusting({"AWS": [f"{IAM}:role/*"]}),
        "all repositories of an organization": github("repo:own/*"),
        "repositories that begin alike": github("repo:own/code*"),
        "all repositories": github("repo:*"),
        "whatever repository, if it is said": github("repo:own/code:*", "StringLikeIfExists"),
        "a repository that is not another": github("repo:own/other:*", "StringNotLike"),
        "all projects of a group": oidc(
            GITLAB,
            StringEquals={f"{GITLAB}:aud": "https://gitlab.com"},
            StringLike={f"{GITLAB}:sub": "project_path:own/*:ref_type:branch:ref:main"},
        ),
        "an organization of workspaces": oidc(
            "app.terraform.io",
            StringEquals={"app.terraform.io:aud": "aws.workload.identity"},
            StringLike={"app.terraform.io:sub": "organization:*:project:data:workspace:*:run_phase:*"},
        ),
        "any audience": oidc(
            GITHUB,
            StringEquals={f"{GITHUB}:sub": "repo:own/code:ref:refs/heads/main"},
            StringLike={f"{GITHUB}:aud": "sts*"},
        ),
        "an audience, if it is said": oidc(
            GITHUB,
            StringEquals={f"{GITHUB}:sub": "repo:own/code:ref:refs/heads/main"},
            StringEqualsIfExists={f"{GITHUB}:aud": "sts.amazonaws.com"},
        ),
        "no subject of GitHub": oidc(GITHUB, StringEquals={f"{GITHUB}:aud": "sts.amazonaws.com"}),
        "no subject of a cluster": oidc(EKS, StringEquals=aud),
        "no audience of a cluster": oidc(EKS, StringEquals=pod),
        "all namespaces that begin alike": oidc(
            EKS, StringEquals=aud, StringLike={f"{EKS}:sub": "system:serviceaccount:kube-*:velero"}
        ),
        "all subjects of no subject": oidc(EKS, **{"StringEquals": aud, "ForAllValues:StringEquals": pod}),
        "no condition at all": role(trust()),
        "a pool of Cognito that is any": role(
            document(
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": "cognito-identity.amazonaws.com"},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {"ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}},
                }
            )
        ),
    }
    return {f"a role trusts {name}": (rule, made) for name, made in found.items()}


def _transport() -> Mapping[str, Attack]:
    """Statements that seem to refuse requests without TLS."""
    insecure = {"aws:SecureTransport": "false"}
    found = {
        "of another bucket": tls(Resource=["arn:aws:s3:::others", "arn:aws:s3:::others/*"]),
        "of one folder": tls(Resource=["arn:aws:s3:::files", "arn:aws:s3:::files/public/*"]),
        "of objects that end alike": tls(Resource=["arn:aws:s3:::files", "arn:aws:s3:::files/*.csv"]),
        "of all but one folder": {**tls(), "NotResource": "arn:aws:s3:::files/public/*"},
        "if the key exists": tls({"BoolIfExists": insecure}),
        "where another key exists": tls(
            {"Bool": insecure, "StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
        ),
        "for no value": tls({"ForAllValues:Bool": insecure}),
        "of reading alone": tls(Action=["s3:Get*"]),
        "of all but some actions": {**{k: v for k, v in tls().items() if k != "Action"}, "NotAction": "s3:PutObject"},
        "of AWS's services alone": tls({"Bool": {**insecure, "aws:PrincipalIsAWSService": "true"}}),
        "by strings": tls({"StringNotEquals": {"aws:SecureTransport": "true"}}),
        "of one account": tls(Principal={"AWS": f"{IAM}:root"}),
        "of requests with TLS": tls({"Bool": {"aws:SecureTransport": "true"}}),
    }
    return {f"TLS is asked {name}": ("require-tls-for-buckets", bucket_with(one)) for name, one in found.items()}


def _in_the_cluster() -> Mapping[str, Attack]:
    """Rights in Kubernetes."""
    everybody, accounts = "refuse-bindings-for-everybody", "limit-service-accounts"
    administrators = "limit-cluster-administrators"
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    association = {"clusterName": "analytics", "policyArn": policy, "accessScope": {"type": "cluster"}}
    of_namespace = Made(
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        "binding",
        {
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "dash"}],
        },
    )
    aws_auth = {
        "metadata": {"name": "aws-auth", "namespace": "kube-system"},
        "data": {"mapRoles": f"- rolearn: {IAM}:role/ci\n  groups:\n    - system:masters\n"},
    }
    entry, tags = {"clusterName": "analytics"}, {"tags": TAGS}
    rbac = "rbac.authorization.k8s.io/v1"

    def manifest(made: Made) -> list[Made]:
        body = {"apiVersion": rbac, "kind": "ClusterRoleBinding", "metadata": {"name": "own"}, **made.props}
        props = {"chart": "app", "version": "1.2.3", "values": {"extraObjects": [body]}}
        return [Made("kubernetes:helm.sh/v3:Release", "chart", props)]

    def listed(made: Made) -> list[Made]:
        return [Made(f"kubernetes:{rbac}:ClusterRoleBindingList", "bindings", {"items": [made.props]})]

    return {
        "cluster-admin for anonymous": (everybody, [bound("cluster-admin", "User", "system:anonymous")]),
        "view for who is not signed in": (everybody, [bound("view", "Group", "system:unauthenticated")]),
        "edit for whoever signs in": (everybody, [bound("edit", "Group", "system:authenticated")]),
        "cluster-admin for the default account": (accounts, [bound("cluster-admin", "ServiceAccount", "default")]),
        "cluster-admin for the default account by its long name": (
            accounts,
            [bound("cluster-admin", "User", "system:serviceaccount:dash:default")],
        ),
        "cluster-admin for all accounts": (accounts, [bound("cluster-admin", "Group", "system:serviceaccounts")]),
        "cluster-admin for the accounts of a namespace": (
            accounts,
            [bound("cluster-admin", "Group", "system:serviceaccounts:dash")],
        ),
        "cluster-admin in a namespace for its default account": (accounts, [of_namespace]),
        "a role with wildcards for the default account": (
            accounts,
            [bound("own", "ServiceAccount", "default"), cluster_role(resources=["*"], verbs=["*"])],
        ),
        "a role that hands out rights for the default account": (
            accounts,
            [bound("own", "ServiceAccount", "default"), cluster_role(resources=["clusterroles"], verbs=["escalate"])],
        ),
        "a role that reads secrets for the default account": (
            accounts,
            [bound("own", "ServiceAccount", "default"), cluster_role(resources=["secrets"], verbs=["list"])],
        ),
        "a manifest for anonymous in a chart's values": (
            everybody,
            manifest(bound("view", "User", "system:anonymous")),
        ),
        "a list of bindings for anonymous": (everybody, listed(bound("view", "User", "system:anonymous"))),
        "a manifest for the default account in a chart's values": (
            accounts,
            manifest(bound("cluster-admin", "ServiceAccount", "default")),
        ),
        "a list of bindings for the default account": (
            accounts,
            listed(bound("cluster-admin", "ServiceAccount", "default")),
        ),
        "a list of roles mapped to system:masters": (
            administrators,
            [Made("kubernetes:core/v1:ConfigMapList", "auth", {"items": [aws_auth]})],
        ),
        "an access entry in system:masters": (
            administrators,
            [
                Made(
                    "aws:eks/accessEntry:AccessEntry",
                    "entry",
                    {**entry, **tags, "principalArn": f"{IAM}:role/ci", "kubernetesGroups": ["system:masters"]},
                )
            ],
        ),
        "a role mapped to system:masters": (administrators, [Made("kubernetes:core/v1:ConfigMap", "auth", aws_auth)]),
        "an administrator who is an account": (
            administrators,
            [
                Made(
                    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
                    "a",
                    {**association, "principalArn": f"{IAM}:root"},
                )
            ],
        ),
        "an administrator who is any role": (
            administrators,
            [
                Made(
                    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
                    "a",
                    {**association, "principalArn": f"{IAM}:role/*"},
                )
            ],
        ),
    }


ATTACKS: Mapping[str, Attack] = {
    **_everybody(),
    **_shared(),
    **_services(),
    **_rights(),
    **_ways_in(),
    **_trust(),
    **_transport(),
    **_in_the_cluster(),
}

OUT_OF_SCOPE: Mapping[str, list[Made]] = {
    "Data that a role reads": identity(allow(["s3:GetObject", "dynamodb:GetItem"])),
    "All resources of one kind": identity(allow("ec2:TerminateInstances", "arn:aws:ec2:*:*:instance/*")),
    "Roles with a common prefix": identity(allow("iam:PutRolePolicy", f"{IAM}:role/app-*")),
    "Passing any role to one service": identity(
        allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})
    ),
    "Trusted accounts": trusting({"AWS": "arn:aws:iam::210987654321:root"}),
    "Services in other policies": of_resource(
        "aws:kms/keyPolicy:KeyPolicy", "kms:Decrypt", {"Service": "cloudwatch.amazonaws.com"}
    ),
    "API Gateway": of_resource("aws:apigateway/restApiPolicy:RestApiPolicy", "execute-api:Invoke"),
    "Rights outside the program": [
        Made("aws:ec2/vpcEndpoint:VpcEndpoint", "endpoint", {"serviceName": "com.amazonaws.us-east-1.s3", "tags": TAGS})
    ],
}
"""What passes, by its words in docs/policies.md, which say why."""
