"""What the AWS provider does with a change of each property, read in its source.

Paths are those below internal/service of https://github.com/hashicorp/terraform-provider-aws. Each file was read, some
in a version older than the one that pulumi-aws 7 builds on; properties that came later are as its documentation has
them. `replaced` are the properties with ForceNew or RequiresReplace, `a.b` being one inside an object; every other
property that the embedded cloud takes is changed in place. `depends` are those that only some changes replace:
test_aws_plan.py has a case for each.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    source: str
    replaced: frozenset[str]
    depends: frozenset[str]


def _facts(source: str, replaced: str = "", depends: str = "") -> Facts:
    return Facts(source, frozenset(replaced.split()), frozenset(depends.split()))


_RULE = _facts(
    "ec2/vpc_security_group_ingress_rule.go",
    "securityGroupId",
    "cidrIpv4 cidrIpv6 prefixListId referencedSecurityGroupId",
)

FACTS: dict[str, Facts] = {
    "aws:ec2/vpc:Vpc": _facts("ec2/vpc_.go", "cidrBlock ipv4IpamPoolId ipv4NetmaskLength", "instanceTenancy"),
    "aws:ec2/subnet:Subnet": _facts(
        "ec2/vpc_subnet.go",
        "availabilityZone availabilityZoneId cidrBlock ipv4IpamPoolId ipv4NetmaskLength ipv6IpamPoolId ipv6Native"
        " ipv6NetmaskLength outpostArn vpcId",
        "ipv6CidrBlock",
    ),
    "aws:ec2/internetGateway:InternetGateway": _facts("ec2/vpc_internet_gateway.go"),
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": _facts(
        "ec2/vpc_egress_only_internet_gateway.go", "vpcId"
    ),
    "aws:ec2/eip:Eip": _facts("ec2/ec2_eip.go", "address domain ipamPoolId networkBorderGroup publicIpv4Pool"),
    "aws:ec2/natGateway:NatGateway": _facts(
        "ec2/vpc_nat_gateway.go",
        "allocationId availabilityMode connectivityType secondaryPrivateIpAddressCount subnetId vpcId",
    ),
    "aws:ec2/routeTable:RouteTable": _facts("ec2/vpc_route_table.go", "vpcId"),
    "aws:ec2/route:Route": _facts(
        "ec2/vpc_route.go",
        "destinationCidrBlock destinationIpv6CidrBlock destinationPrefixListId routeTableId",
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _facts(
        "ec2/vpc_route_table_association.go", "gatewayId subnetId"
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _facts(
        "ec2/vpc_endpoint.go",
        "dnsOptions.privateDnsPreference dnsOptions.privateDnsSpecifiedDomains resourceConfigurationArn serviceName"
        " serviceNetworkArn serviceRegion vpcEndpointType vpcId",
        "privateDnsEnabled",
    ),
    "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation": _facts(
        "ec2/vpc_endpoint_route_table_association.go", "routeTableId vpcEndpointId"
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _facts("ec2/vpc_default_security_group.go", "vpcId"),
    "aws:ec2/securityGroup:SecurityGroup": _facts("ec2/vpc_security_group.go", "description name namePrefix vpcId"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _RULE,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _RULE,
    "aws:ec2/flowLog:FlowLog": _facts(
        "ec2/vpc_flow_log.go",
        "deliverCrossAccountRole destinationOptions.fileFormat destinationOptions.hiveCompatiblePartitions"
        " destinationOptions.perHourPartition iamRoleArn logDestination logDestinationType logFormat"
        " maxAggregationInterval tagFieldSpecifications trafficType vpcId",
    ),
    "aws:ec2/tag:Tag": _facts("ec2/tag_gen.go", "key resourceId"),
    "aws:ec2/launchTemplate:LaunchTemplate": _facts("ec2/ec2_launch_template.go", "name namePrefix"),
    "aws:iam/role:Role": _facts("iam/role.go", "name namePrefix path"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _facts("iam/role_policy_attachment.go", "policyArn role"),
    "aws:iam/rolePolicy:RolePolicy": _facts("iam/role_policy.go", "name namePrefix role"),
    "aws:iam/policy:Policy": _facts("iam/policy.go", "description name namePrefix path"),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _facts("iam/openid_connect_provider.go", "url"),
    "aws:iam/instanceProfile:InstanceProfile": _facts("iam/instance_profile.go", "name namePrefix path"),
    "aws:kms/key:Key": _facts("kms/key.go", "customKeyStoreId customerMasterKeySpec keyUsage multiRegion xksKeyId"),
    "aws:kms/alias:Alias": _facts("kms/alias.go", "name namePrefix"),
    "aws:cloudwatch/logGroup:LogGroup": _facts("logs/group.go", "logGroupClass name namePrefix"),
    "aws:eks/cluster:Cluster": _facts(
        "eks/cluster.go",
        "accessConfig.bootstrapClusterCreatorAdminPermissions bootstrapSelfManagedAddons"
        " kubernetesNetworkConfig.ipFamily kubernetesNetworkConfig.serviceIpv4Cidr name roleArn",
        "encryptionConfig computeConfig.nodeRoleArn",
    ),
    "aws:eks/addon:Addon": _facts("eks/addon.go", "addonName clusterName namespaceConfig.namespace"),
    "aws:eks/nodeGroup:NodeGroup": _facts(
        "eks/node_group.go",
        "amiType capacityType clusterName diskSize instanceTypes launchTemplate.id launchTemplate.name nodeGroupName"
        " nodeGroupNamePrefix nodeRoleArn remoteAccess.ec2SshKey remoteAccess.sourceSecurityGroupIds subnetIds",
    ),
    "aws:eks/accessEntry:AccessEntry": _facts("eks/access_entry.go", "clusterName principalArn type"),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _facts(
        "eks/access_policy_association.go",
        "accessScope.namespaces accessScope.type clusterName policyArn principalArn",
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _facts(
        "eks/pod_identity_association.go", "clusterName namespace serviceAccount"
    ),
    "aws:s3/bucket:Bucket": _facts("s3/bucket.go", "bucket bucketNamespace bucketPrefix"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _facts("s3/bucket_public_access_block.go", "bucket"),
    "aws:s3/bucketVersioning:BucketVersioning": _facts("s3/bucket_versioning.go", "bucket expectedBucketOwner"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _facts(
        "s3/bucket_server_side_encryption_configuration.go", "bucket expectedBucketOwner"
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _facts("s3/bucket_ownership_controls.go", "bucket"),
    "aws:s3/bucketPolicy:BucketPolicy": _facts("s3/bucket_policy.go", "bucket"),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _facts(
        "s3/bucket_lifecycle_configuration.go", "bucket expectedBucketOwner"
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _facts(
        "s3/bucket_object_lock_configuration.go", "bucket objectLockEnabled"
    ),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": _facts(
        "s3/bucket_replication_configuration.go", "bucket"
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": _facts("s3/object.go", "bucket key"),
    "aws:secretsmanager/secret:Secret": _facts("secretsmanager/secret.go", "name namePrefix"),
    "aws:secretsmanager/secretVersion:SecretVersion": _facts(
        "secretsmanager/secret_version.go", "secretBinary secretId secretString"
    ),
    "aws:ssm/document:Document": _facts("ssm/document.go", "name"),
    "aws:ssm/parameter:Parameter": _facts("ssm/parameter.go", "dataType name", "tier"),
    "aws:ec2/keyPair:KeyPair": _facts("ec2/ec2_key_pair.go", "keyName keyNamePrefix publicKey"),
    "aws:ec2/instance:Instance": _facts(
        "ec2/ec2_instance.go",
        "ami associatePublicIpAddress cpuOptions.amdSevSnp cpuOptions.coreCount cpuOptions.nestedVirtualization"
        " cpuOptions.threadsPerCore ebsOptimized enablePrimaryIpv6 enclaveOptions.enabled"
        " instanceMarketOptions.marketType instanceMarketOptions.spotOptions keyName launchTemplate networkInterfaces"
        " privateIp securityGroups subnetId",
        "instanceType userData userDataBase64",
    ),
    "aws:route53/record:Record": _facts("route53/record.go", "name zoneId"),
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": _facts(
        "route53resolver/firewall_domain_list.go", "name"
    ),
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": _facts(
        "route53resolver/firewall_rule_group.go", "name"
    ),
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": _facts(
        "route53resolver/firewall_rule.go", "firewallDomainListId firewallRuleGroupId"
    ),
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation": _facts(
        "route53resolver/firewall_rule_group_association.go", "firewallRuleGroupId vpcId"
    ),
    "aws:route53/resolverFirewallConfig:ResolverFirewallConfig": _facts(
        "route53resolver/firewall_config.go", "resourceId"
    ),
    "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig": _facts(
        "route53resolver/query_log_config.go", "destinationArn name"
    ),
    "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation": _facts(
        "route53resolver/query_log_config_association.go", "resolverQueryLogConfigId resourceId"
    ),
    "aws:sqs/queue:Queue": _facts("sqs/queue.go", "name namePrefix"),
    "aws:sqs/queuePolicy:QueuePolicy": _facts("sqs/queue_policy.go", "queueUrl"),
    "aws:cloudwatch/eventRule:EventRule": _facts("events/rule.go", "eventBusName name namePrefix"),
    "aws:cloudwatch/eventTarget:EventTarget": _facts("events/target.go", "eventBusName rule targetId"),
    "aws:lambda/function:Function": _facts("lambda/function.go", "name packageType tenancyConfig.tenantIsolationMode"),
    "aws:lambda/permission:Permission": _facts(
        "lambda/permission.go",
        "action eventSourceToken function functionUrlAuthType invokedViaFunctionUrl principal principalOrgId qualifier"
        " sourceAccount sourceArn statementId statementIdPrefix",
    ),
    "aws:sns/topic:Topic": _facts("sns/topic.go", "name namePrefix"),
    "aws:sns/topicSubscription:TopicSubscription": _facts("sns/topic_subscription.go", "endpoint protocol topic"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _facts("cloudwatch/metric_alarm.go", "name"),
}

# Defaults of the schema that are not false, zero or empty: taking the value away goes back to them.
DEFAULTS: dict[str, dict[str, object]] = {
    "aws:ssm/document:Document": {"documentFormat": "JSON"},
    "aws:ec2/vpc:Vpc": {"instanceTenancy": "default", "enableDnsSupport": True},
    "aws:ec2/natGateway:NatGateway": {"connectivityType": "public"},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"vpcEndpointType": "Gateway"},
    "aws:ec2/flowLog:FlowLog": {"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
    "aws:iam/role:Role": {"maxSessionDuration": 3600, "path": "/"},
    "aws:iam/policy:Policy": {"path": "/"},
    "aws:iam/instanceProfile:InstanceProfile": {"path": "/"},
    "aws:kms/key:Key": {"customerMasterKeySpec": "SYMMETRIC_DEFAULT", "isEnabled": True, "keyUsage": "ENCRYPT_DECRYPT"},
    "aws:eks/cluster:Cluster": {
        "bootstrapSelfManagedAddons": True,
        "accessConfig.bootstrapClusterCreatorAdminPermissions": True,
        "vpcConfig.endpointPublicAccess": True,
    },
    "aws:eks/accessEntry:AccessEntry": {"type": "STANDARD"},
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": {"objectLockEnabled": "Enabled"},
    "aws:secretsmanager/secret:Secret": {"recoveryWindowInDays": 30},
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": {
        "firewallDomainRedirectionAction": "INSPECT_REDIRECTION_DOMAIN"
    },
    "aws:sqs/queue:Queue": {
        "visibilityTimeoutSeconds": 30,
        "maxMessageSize": 262144,
        "messageRetentionSeconds": 345600,
    },
    "aws:cloudwatch/eventRule:EventRule": {"eventBusName": "default"},
    "aws:cloudwatch/eventTarget:EventTarget": {"eventBusName": "default"},
    "aws:lambda/function:Function": {"memorySize": 128, "packageType": "Zip", "timeout": 3},
    "aws:sns/topicSubscription:TopicSubscription": {"confirmationTimeoutInMinutes": 1},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"actionsEnabled": True, "treatMissingData": "missing"},
    # pulumi-aws's own: provider/resource_overrides.go
    "aws:ec2/securityGroup:SecurityGroup": {"description": "Managed by Pulumi"},
}

# `DeleteBeforeReplace` in provider/resource_overrides.go of https://github.com/pulumi/pulumi-aws.
DELETED_FIRST = {"aws:iam/rolePolicyAttachment:RolePolicyAttachment"}
