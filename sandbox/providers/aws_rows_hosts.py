"""Rows of the table: instances, key pairs, records of DNS, and what watches DNS."""

from sandbox.providers import aws_checks_installation as checks
from sandbox.providers.table import Call, Fetch, Row, Tagging, ec2_tags, listing

_INTERFACE = {
    "DeviceIndex": 0,
    "SubnetId": "$!subnetId",
    "Groups": "$vpcSecurityGroupIds",
    "AssociatePublicIpAddress": "$associatePublicIpAddress",
    "PrivateIpAddress": "$privateIp",
}
_STOPPED = ("instanceType", "userData", "userDataBase64")  # changed while the instance is stopped
_RECORD_SET = {
    "Name": "$name",
    "Type": "$type",
    "TTL": "$ttl",
    "ResourceRecords": "$records",
    "AliasTarget": "$aliases",
}
_RECORD_SETS = (
    "ResourceRecordSets[?Type=='$type' && (Name==join('.', ['$name', ''])"
    " || Name==join('.', ['$name', '$found.zone']))] | [0]"
)


def _upsert(name: str) -> dict[str, object]:
    changes = [{"Action": "UPSERT", "ResourceRecordSet": {**_RECORD_SET, "Name": name}}]
    return {"HostedZoneId": "$zoneId", "ChangeBatch": {"Changes": changes}}


HOSTS: dict[str, Row] = {
    "aws:ec2/keyPair:KeyPair": Row(
        "ec2",
        Call("ImportKeyPair"),
        (Fetch("DescribeKeyPairs", {"KeyNames": ["$id"]}, "KeyPairs[0]"),),
        (Call("DeleteKeyPair", {"KeyName": "$id"}),),
        id="{keyName}",
        name="keyName",
        rename={"publicKey": "PublicKeyMaterial"},
        outputs={
            "arn": "arn:{partition}:ec2:{region}:{account}:key-pair/{KeyName}",
            "fingerprint": "KeyFingerprint",
        },
        local=("keyNamePrefix",),
        unread=("publicKey",),
        tags=Tagging(
            tag=Call("CreateTags", {"Resources": ["$state.keyPairId"], "Tags": "$tags"}),
            untag=Call("DeleteTags", {"Resources": ["$state.keyPairId"], "Tags": "$tagKeyList"}),
            member="TagSpecifications",
            resource_type="key-pair",
        ),
        listing=listing("ec2", "DescribeKeyPairs", "KeyPairs[].KeyName"),
        validate=checks.public_key,
    ),
    "aws:ec2/instance:Instance": Row(
        "ec2",
        Call(
            "RunInstances",
            {
                "MinCount": 1,
                "MaxCount": 1,
                "ImageId": "$ami",
                "IamInstanceProfile": {"Name": "$iamInstanceProfile"},
                "Monitoring": {"Enabled": "$monitoring"},
                "NetworkInterfaces": [_INTERFACE],
                "UserData": "$userData",
            },
        ),
        (
            Fetch("DescribeInstances", {"InstanceIds": ["$id"]}, "Reservations[0].Instances[0]"),
            Fetch(
                "DescribeInstanceAttribute",
                {"InstanceId": "$id", "Attribute": "disableApiTermination"},
                "DisableApiTermination.Value",
                "disableApiTermination",
            ),
            Fetch(
                "DescribeIamInstanceProfileAssociations",
                {"Filters": [{"Name": "instance-id", "Values": ["$id"]}]},
                "IamInstanceProfileAssociations[0].IamInstanceProfile.Arn",  # moto shows the first one in the instance
                "profile",
            ),
        ),
        (Call("TerminateInstances", {"InstanceIds": ["$id"]}),),
        id="Instances[0].InstanceId",
        updates=(
            Call("StopInstances", {"InstanceIds": ["$id"]}, _STOPPED),
            Call(
                "ModifyInstanceAttribute",
                {"InstanceId": "$id", "InstanceType": {"Value": "$instanceType"}},
                ("instanceType",),
            ),
            Call("ModifyInstanceAttribute", {"InstanceId": "$id", "UserData": {"Value": "$userData"}}, ("userData",)),
            Call(
                "ModifyInstanceAttribute",
                {"InstanceId": "$id", "UserData": {"Value": "$userDataBase64"}},
                ("userDataBase64",),
            ),
            Call("StartInstances", {"InstanceIds": ["$id"]}, _STOPPED),
            Call(
                "ModifyNetworkInterfaceAttribute",
                {"NetworkInterfaceId": "$state.primaryNetworkInterfaceId", "Groups": "$vpcSecurityGroupIds"},
                ("vpcSecurityGroupIds",),
            ),
            Call(
                "ModifyInstanceAttribute",
                {"InstanceId": "$id", "DisableApiTermination": {"Value": "$disableApiTermination"}},
                ("disableApiTermination",),
            ),
            Call("MonitorInstances", {"InstanceIds": ["$id"]}, ("monitoring",), when={"monitoring": True}),
            Call("UnmonitorInstances", {"InstanceIds": ["$id"]}, ("monitoring",), when={"monitoring": False}),
            Call(
                "ModifyInstanceMetadataOptions",
                {
                    "InstanceId": "$id",
                    "HttpEndpoint": "$metadataOptions.httpEndpoint",
                    "HttpTokens": "$metadataOptions.httpTokens",
                    "HttpPutResponseHopLimit": "$metadataOptions.httpPutResponseHopLimit",
                    "InstanceMetadataTags": "$metadataOptions.instanceMetadataTags",
                },
                ("metadataOptions",),
            ),
        ),
        rename={"launchTemplate.id": "LaunchTemplateId", "launchTemplate.name": "LaunchTemplateName"},
        outputs={
            "arn": "arn:{partition}:ec2:{region}:{account}:instance/{id}",
            "ami": "ImageId",
            "associatePublicIpAddress": "PublicIpAddress != `null`",
            "availabilityZone": "Placement.AvailabilityZone",
            "iamInstanceProfile": "after(profile, '/')",
            "instanceState": "State.Name",
            "monitoring": "Monitoring.State=='enabled'",
            "primaryNetworkInterfaceId": "NetworkInterfaces[0].NetworkInterfaceId",
            "privateDns": "PrivateDnsName",
            "privateIp": "PrivateIpAddress",
            "publicDns": "PublicDnsName",
            "publicIp": "PublicIpAddress",
            "securityGroups": "SecurityGroups[].GroupName",
            "tenancy": "Placement.Tenancy",
            "vpcSecurityGroupIds": "SecurityGroups[].GroupId",
        },
        computed=(
            *("ami", "associatePublicIpAddress", "availabilityZone", "disableApiTermination", "ebsOptimized"),
            *("iamInstanceProfile", "instanceType", "keyName", "metadataOptions", "monitoring", "privateIp"),
            *("securityGroups", "sourceDestCheck", "subnetId", "tenancy", "vpcSecurityGroupIds"),
        ),
        volatile=("instanceState", "privateDns", "publicDns", "publicIp"),
        hooked=("iamInstanceProfile",),
        quiet=("networkInterfaces",),
        local=("userDataReplaceOnChange", "forceDestroy"),
        unread=("launchTemplate", "userData", "userDataBase64"),
        alive="!contains(['shutting-down', 'terminated'], State.Name)",
        settled="contains(['running', 'stopped'], State.Name)",
        tags=ec2_tags("instance"),
        listing=listing(
            "ec2", "DescribeInstances", "Reservations[].Instances[] | [?State.Name!='terminated'].InstanceId"
        ),
        validate=checks.instance,
        before_create=checks.instance_prerequisites,
        after_write=checks.instance_profile,
    ),
    "aws:route53/record:Record": Row(
        "route53",
        Call("ChangeResourceRecordSets", _upsert("$name"), strict=True),
        (
            Fetch("GetHostedZone", {"Id": "$zoneId"}, "HostedZone.Name", "zone"),
            Fetch("ListResourceRecordSets", {"HostedZoneId": "$zoneId"}, _RECORD_SETS),
        ),
        (),
        id="{zoneId}_{name}_{type}",
        updates=(Call("ChangeResourceRecordSets", _upsert("$state.fqdn"), ("ttl", "records", "aliases")),),
        rename={"aliases.name": "DNSName", "aliases.zoneId": "HostedZoneId"},
        outputs={
            "aliases": "AliasTarget && [{DNSName: trim(AliasTarget.DNSName, '.'),"
            " HostedZoneId: AliasTarget.HostedZoneId, EvaluateTargetHealth: AliasTarget.EvaluateTargetHealth}]",
            "fqdn": "trim(Name, '.')",
            "name": "starts_with(Name, join('', [name, '.'])) && name || trim(Name, '.')",  # the zone may be left out
            "records": "ResourceRecords[].Value",
            "zoneId": "zoneId",
        },
        local=("allowOverwrite",),
        alive="Name",
        listing=checks.records,
        validate=checks.record,
        before_create=checks.record_fits,
        before_delete=checks.delete_record,
    ),
}
