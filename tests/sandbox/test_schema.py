"""Names and types of properties are judged by the installed SDK classes."""

from typing import Any

import pytest

from sandbox.providers.protocol import UNKNOWN
from sandbox.providers.schema import Type, check_inputs, plain, schema_of

SUBNETS = {"subnetIds": ["subnet-1"]}


def problems(token: str, inputs: dict[str, Any]) -> dict[str, str]:
    schema = schema_of(token)
    assert schema is not None
    return dict(check_inputs(schema, inputs))


def test_a_misspelt_property_is_named_with_the_nearest_known_one() -> None:
    found = problems("aws:ec2/vpc:Vpc", {"cidrBlok": "10.0.0.0/16"})
    assert found == {"cidrBlok": "no such property; did you mean 'cidrBlock'?"}


def test_a_misspelt_key_inside_an_object_in_a_list_is_named_with_its_path() -> None:
    mappings = [{"deviceName": "/dev/xvda", "ebs": {"volumeSise": 100}}]
    found = problems("aws:ec2/launchTemplate:LaunchTemplate", {"blockDeviceMappings": mappings})
    assert found == {"blockDeviceMappings[0].ebs.volumeSise": "no such property; did you mean 'volumeSize'?"}


def test_required_properties_are_missed_at_the_top_and_inside() -> None:
    assert problems("aws:eks/cluster:Cluster", {"roleArn": UNKNOWN, "vpcConfig": {}}) == {
        "vpcConfig.subnetIds": "required property is missing"
    }
    assert problems("aws:eks/cluster:Cluster", {"vpcConfig": SUBNETS}) == {"roleArn": "required property is missing"}


@pytest.mark.parametrize(
    ("token", "key", "value"),
    [
        ("aws:ec2/vpc:Vpc", "enableDnsSupport", "yes"),
        ("aws:ec2/vpc:Vpc", "tags", ["a"]),
        ("aws:ec2/vpc:Vpc", "cidrBlock", ["10.0.0.0/16"]),
        ("aws:cloudwatch/logGroup:LogGroup", "retentionInDays", "a week"),
        ("aws:cloudwatch/logGroup:LogGroup", "retentionInDays", True),
        ("aws:ec2/launchTemplate:LaunchTemplate", "metadataOptions", []),
        ("aws:ec2/launchTemplate:LaunchTemplate", "vpcSecurityGroupIds", "sg-1"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(token: str, key: str, value: object) -> None:
    assert key in problems(token, {key: value})


def test_a_value_inside_a_map_of_texts_is_judged_too() -> None:
    assert "tags['a']" in problems("aws:ec2/vpc:Vpc", {"tags": {"a": {"b": "c"}}})


def test_values_that_are_not_known_yet_pass() -> None:
    assert not problems("aws:ec2/vpc:Vpc", {"cidrBlock": UNKNOWN, "tags": UNKNOWN, "enableDnsSupport": UNKNOWN})


def test_texts_become_numbers_and_truth_values_and_documents_become_texts() -> None:
    inner = Type("list", Type("int"))
    assert plain(inner, ["1", 2, UNKNOWN]) == [1, 2, UNKNOWN]
    assert plain(Type("bool"), "true") is True
    assert plain(Type("str"), True) == "true"
    assert plain(Type("str", json=True), {"Version": "2012-10-17"}) == '{"Version": "2012-10-17"}'


def test_a_resource_type_that_the_sdk_lacks_has_no_schema() -> None:
    assert schema_of("aws:ec2/vpc:Vpcs") is None
    assert schema_of("aws:ec2/nothing:Nothing") is None
