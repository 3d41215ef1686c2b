"""Rows of the table: instances and their key pairs."""

from sandbox.providers import aws_checks_installation as checks
from sandbox.providers import forms
from sandbox.providers.table import Call, Fetch, Row, Tagging, ec2_tags, listing

_INTERFACE = {
    "DeviceIndex": 0,
    "SubnetId": "$!subnetId",
    "Groups": "$vpcSecurityGroupIds",
    "AssociatePublicIpAddress": "$associatePublicIpAddress",
    "PrivateIpAddress": "$privateIp",
}
# A stopped instance keeps its elastic address, and no other; moto takes both:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html
_PUBLIC = "elastic || PublicIpAddress"
_STOPPED = ("instanceType", "userData", "userDataBase64")  # changed while the instance is stopped

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
        secret=("publicKey",),  # somebody may give the private one
        returned={"publicKey": forms.trimmed},
        suppressed=("publicKey",),
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
            Fetch(
                "DescribeAddresses",
                {"Filters": [{"Name": "instance-id", "Values": ["$id"]}]},
                "Addresses[0].PublicIp",
                "elastic",
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
            "associatePublicIpAddress": f"({_PUBLIC}) != `null`",
            "availabilityZone": "Placement.AvailabilityZone",
            "iamInstanceProfile": "after(profile, '/')",
            "instanceState": "State.Name",
            "monitoring": "Monitoring.State=='enabled'",
            "primaryNetworkInterfaceId": "NetworkInterfaces[0].NetworkInterfaceId",
            "privateDns": "PrivateDnsName",
            "privateIp": "PrivateIpAddress",
            "publicDns": "elastic && public_dns(elastic, region) || PublicDnsName",
            "publicIp": _PUBLIC,
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
        replace_when={
            **dict.fromkeys(("userData", "userDataBase64"), lambda _, new: bool(new.get("userDataReplaceOnChange"))),
            "instanceType": checks.other_architecture,
        },
        unsupported=(
            *("capacityReservationSpecification", "creditSpecification", "disableApiStop", "ipv6AddressCount"),
            *("instanceInitiatedShutdownBehavior", "ipv6Addresses", "maintenanceOptions", "privateDnsNameOptions"),
        ),
        unread=("launchTemplate", "userData", "userDataBase64"),
        secret=("userData", "userDataBase64"),
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
}
