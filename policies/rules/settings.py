"""Settings that many can read, in which no secret belongs: environments, parameters, ConfigMaps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pack.kinds import CHARTS, STACK
from pack.objects import chart_values, kinds, objects
from pack.rule import Resource, Severity, Situation, StackResource, rule
from pack.secrets import in_setting
from pack.values import apart, has, mappings, together

_PARAMETER = "aws:ssm/parameter:Parameter"
_HOLDERS: Mapping[str, tuple[str, ...]] = {
    "aws:amplify/app:App": ("environmentVariables", "buildSpec"),
    "aws:amplify/branch:Branch": ("environmentVariables",),
    "aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion": ("content",),
    "aws:apprunner/service:Service": ("sourceConfiguration",),
    "aws:batch/jobDefinition:JobDefinition": ("containerProperties", "ecsProperties", "nodeProperties", "parameters"),
    "aws:cloudformation/stack:Stack": ("parameters", "templateBody"),
    "aws:codebuild/project:Project": ("environment", "source"),
    "aws:ecs/taskDefinition:TaskDefinition": ("containerDefinitions",),
    "aws:eks/addon:Addon": ("configurationValues",),
    "aws:elasticbeanstalk/configurationTemplate:ConfigurationTemplate": ("settings",),
    "aws:elasticbeanstalk/environment:Environment": ("settings",),
    "aws:glue/job:Job": ("defaultArguments", "nonOverridableArguments"),
    "aws:imagebuilder/component:Component": ("data",),
    "aws:imagebuilder/imageRecipe:ImageRecipe": ("userDataBase64",),
    "aws:lambda/function:Function": ("environment",),
    "aws:lightsail/containerServiceDeploymentVersion:ContainerServiceDeploymentVersion": ("containers",),
    "aws:lightsail/instance:Instance": ("userData",),
    "aws:mwaa/environment:Environment": ("airflowConfigurationOptions",),
    "aws:sagemaker/model:Model": ("containers", "primaryContainer"),
    "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration": (
        "onCreate",
        "onStart",
    ),
    "aws:ssm/association:Association": ("parameters",),
    "aws:ssm/document:Document": ("content",),
    "aws:synthetics/canary:Canary": ("runConfig",),
}
"""Properties that anybody sees who may describe the resource."""
_PODS = (
    "Pod",
    "PodTemplate",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
)
_REFERENCES = ("SECRETS_MANAGER", "PARAMETER_STORE")


@rule(
    "keep-secrets-out-of-settings",
    "Environments, plain parameters, ConfigMaps and pods, which many in the account or the cluster can read, hold no "
    "secret.",
    severity=Severity.CRITICAL,
    types=(*_HOLDERS, _PARAMETER, *kinds("ConfigMap", *_PODS)),
    remediation="keep it in Secrets Manager, a SecureString or a Kubernetes Secret, and name that in its place",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-8",
)
def keep_secrets_out_of_settings(resource: Resource, _: Situation) -> Iterator[str]:
    def judged(found: list[tuple[str, str]]) -> Iterator[str]:
        yield from dict.fromkeys(f"{name} holds {what}" for name, value in found for what in in_setting(name, value))

    yield from together(_settings_of(resource), judged)


@rule(
    "keep-secrets-out-of-outputs",
    "Outputs that hold a secret are marked so, and stand in no state and no log in clear.",
    severity=Severity.HIGH,
    remediation="export it as pulumi.Output.secret(...), or its ARN in its place",
    link="https://www.pulumi.com/docs/iac/concepts/secrets/#programmatically-creating-secrets",
)
def keep_secrets_out_of_outputs(
    resources: Sequence[StackResource], _: Situation
) -> Iterator[tuple[StackResource | None, str]]:
    def judged(found: list[tuple[str, str]]) -> Iterator[tuple[None, str]]:
        for name, value in found:
            yield from ((None, f"the output {name} holds {what}") for what in in_setting(name, value))

    for one in resources:
        if one.resource_type == STACK:
            yield from together(_settings("", one.props), judged)


def _settings_of(resource: Resource) -> Iterator[tuple[str, str]]:
    """Name and value of each setting."""
    props, kind = resource.props, resource.resource_type
    if kind == _PARAMETER:
        if props.get("type") != "SecureString":
            given = [props.get(key) for key in ("value", "insecureValue")]
            yield from ((str(props.get("name") or resource.name), str(value)) for value in given if value)
    elif kind in _HOLDERS:
        yield from apart(_HOLDERS[kind], lambda key: _settings(key, props.get(key)))
    else:
        for one in objects(resource):
            if one.is_core("ConfigMap"):
                yield from apart(("data", "binaryData"), lambda key, body=one.body: _settings(key, body.get(key)))
            elif one.kind in _PODS:
                yield from _settings("spec", one.body.get("spec") or one.body.get("template"))
        if kind in CHARTS:  # environments only: charts make Secrets of passwords that are values of their own
            found = (one for values in chart_values(resource) for one in mappings(values))
            pairs = [one for one in found if has(one, "name") and has(one, "value")]
            yield from apart(pairs, lambda one: _settings("", one))


def _settings(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """The texts below a value with the names that they are given, those of JSON texts as well."""
    if isinstance(value, str):
        decoded = _decoded(value)
        yield from [(name, value)] if decoded is None else _settings(name, decoded)
    elif isinstance(value, Mapping):
        holder = cast("Mapping[str, Any]", value)
        for of_name, of_value in (("name", "value"), ("Name", "Value")):
            if has(holder, of_name) and has(holder, of_value):
                if holder.get("type") not in _REFERENCES:
                    yield from _settings(str(holder[of_name]), holder[of_value])
                return
        yield from apart(list(holder), lambda key: _settings(key, holder[key]))
    elif isinstance(value, Sequence):
        listed = cast("Sequence[Any]", value)
        if all(isinstance(one, str) for one in listed):  # a command
            yield name, "\n".join(listed)
        else:
            yield from apart(listed, lambda one: _settings(name, one))


def _decoded(text: str) -> Any:
    try:
        decoded: Any = json.loads(text)
    except ValueError:
        return None
    return cast("Any", decoded) if isinstance(decoded, Mapping | list) else None
