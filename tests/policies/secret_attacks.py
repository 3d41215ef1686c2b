"""Ways to write a secret down where many can read it; and the rule that finds each."""

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

from policy_cases import TAGS, encoded, launch_template, node_class
from policy_world import Made

Attack = tuple[str, list[Made]]
"""The rule, and what it is to find."""

USER_DATA, SETTINGS = "keep-secrets-out-of-user-data", "keep-secrets-out-of-settings"
_SCRIPT = "#!/bin/bash\nexport ADMIN_PASSWORD=hunter22\n"


def zipped(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def template(user_data: str) -> list[Made]:
    return [made.changed({"userData": user_data}) for made in launch_template()]


def holder(kind: str, **props: Any) -> list[Made]:
    return [Made(f"aws:{kind}", "holder", {**props, "tags": TAGS})]


def config_map(api: str = "core/v1:ConfigMap", **props: Any) -> list[Made]:
    return [Made(f"kubernetes:{api}", "settings", {"metadata": {"name": "settings"}, **props})]


def pod(**container: Any) -> dict[str, Any]:
    return {"containers": [{"name": "app", "image": "app:1", **container}]}


def _user_data() -> dict[str, Attack]:
    multi_part = (
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=//\n\n--//\nContent-Type: text/x-shellscript\n"
        f"Content-Transfer-Encoding: base64\n\n{base64.encodebytes(_SCRIPT.encode()).decode()}\n--//--\n"
    )
    cloud_config = f"#cloud-config\nwrite_files:\n- encoding: gz+b64\n  path: /x\n  content: {zipped(_SCRIPT)}\n"
    return {
        "base64 in base64": (USER_DATA, template(encoded(f"echo {encoded(_SCRIPT)} | base64 -d | bash\n"))),
        "three times base64": (USER_DATA, template(encoded(encoded(encoded(_SCRIPT))))),
        "gzip": (USER_DATA, template(zipped(_SCRIPT))),
        "gzip in a script": (USER_DATA, template(encoded(f"echo {zipped(_SCRIPT)} | base64 -d | gunzip | bash\n"))),
        "a part of a message": (USER_DATA, template(encoded(multi_part))),
        "a file of cloud-init": (USER_DATA, template(encoded(cloud_config))),
        "a value alone in base64": (
            USER_DATA,
            template(encoded(f"ADMIN_PASSWORD=$(echo {encoded('hunter22')} | base64 -d)\n")),
        ),
        "the default of a variable": (USER_DATA, template(encoded("PASSWORD=${ADMIN_PASSWORD:-hunter22}\n"))),
        "a URL": (USER_DATA, template(encoded("git clone https://ci:hunter22@git.example.com/app\n"))),
        "a node class": (USER_DATA, [made.changed({"spec|userData": zipped(_SCRIPT)}) for made in node_class()]),
    }


def _settings() -> dict[str, Attack]:
    variables = {"DB_PASSWORD": "hunter22"}
    listed = [{"name": "DB_PASSWORD", "value": "hunter22"}]
    containers = json.dumps([{"name": "app", "environment": listed}])
    command = json.dumps([{"name": "app", "command": ["install", "--admin-password", "hunter22"]}])
    sidecar = json.dumps(
        [{"name": "app"}, {"name": "log", "logConfiguration": {"options": {"api-key": "9f8e7d6c5b4a"}}}]
    )
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "data": variables}
    cron = {"jobTemplate": {"spec": {"template": {"spec": pod(env=listed)}}}}
    return {
        "a function's environment": (
            SETTINGS,
            holder("lambda/function:Function", environment={"variables": variables}),
        ),
        "a function's environment in base64": (
            SETTINGS,
            holder("lambda/function:Function", environment={"variables": {"CONFIG": encoded(_SCRIPT)}}),
        ),
        "a function's URL of a database": (
            SETTINGS,
            holder(
                "lambda/function:Function", environment={"variables": {"DATABASE_URL": "postgres://a:hunter22@db/a"}}
            ),
        ),
        "a parameter by its name": (
            SETTINGS,
            holder("ssm/parameter:Parameter", type="String", name="/prod/db/password", value="hunter22"),
        ),
        "a parameter by its value": (
            SETTINGS,
            holder("ssm/parameter:Parameter", type="String", name="/prod/settings", value=json.dumps(variables)),
        ),
        "a list of parameters": (
            SETTINGS,
            holder(
                "ssm/parameter:Parameter", type="StringList", name="/prod/settings", value="user=app,password=hunter22"
            ),
        ),
        "an insecure parameter": (
            SETTINGS,
            holder("ssm/parameter:Parameter", type="String", name="/prod/token", insecureValue="9f8e7d6c5b4a"),
        ),
        "a task's environment": (
            SETTINGS,
            holder("ecs/taskDefinition:TaskDefinition", containerDefinitions=containers),
        ),
        "a task's command": (SETTINGS, holder("ecs/taskDefinition:TaskDefinition", containerDefinitions=command)),
        "a task's log driver": (SETTINGS, holder("ecs/taskDefinition:TaskDefinition", containerDefinitions=sidecar)),
        "a build's environment": (
            SETTINGS,
            holder("codebuild/project:Project", environment={"environmentVariables": listed}),
        ),
        "a job's environment": (
            SETTINGS,
            holder("batch/jobDefinition:JobDefinition", containerProperties=json.dumps({"environment": listed})),
        ),
        "a service of App Runner": (
            SETTINGS,
            holder(
                "apprunner/service:Service",
                sourceConfiguration={
                    "imageRepository": {"imageConfiguration": {"runtimeEnvironmentVariables": variables}}
                },
            ),
        ),
        "an application of Beanstalk": (
            SETTINGS,
            holder("elasticbeanstalk/environment:Environment", settings=[{"namespace": "n", **listed[0]}]),
        ),
        "a document of Systems Manager": (
            SETTINGS,
            holder("ssm/document:Document", content=json.dumps({"mainSteps": [{"inputs": {"runCommand": [_SCRIPT]}}]})),
        ),
        "a ConfigMap": (SETTINGS, config_map(data=variables)),
        "a file in a ConfigMap": (SETTINGS, config_map(data={"app.properties": "db.user=app\ndb.password=hunter22\n"})),
        "the binary data of a ConfigMap": (SETTINGS, config_map(binaryData={"install.sh": zipped(_SCRIPT)})),
        "a ConfigMap as a custom resource": (SETTINGS, config_map("v1:ConfigMap", data=variables)),
        "a patch of a ConfigMap": (SETTINGS, config_map("core/v1:ConfigMapPatch", data=variables)),
        "a ConfigMap in a chart's values": (
            SETTINGS,
            [
                Made(
                    "kubernetes:helm.sh/v3:Release",
                    "chart",
                    {"chart": "app", "version": "1.2.3", "values": {"extraObjects": [manifest]}},
                )
            ],
        ),
        "the environment in a chart's values": (
            SETTINGS,
            [
                Made(
                    "kubernetes:helm.sh/v4:Chart",
                    "chart",
                    {"chart": "app", "version": "1.2.3", "values": {"web": {"extraEnv": listed}}},
                )
            ],
        ),
        "a Deployment's environment": (
            SETTINGS,
            [Made("kubernetes:apps/v1:Deployment", "app", {"spec": {"template": {"spec": pod(env=listed)}}})],
        ),
        "a CronJob's environment": (SETTINGS, [Made("kubernetes:batch/v1:CronJob", "app", {"spec": cron})]),
        "a Pod's arguments": (
            SETTINGS,
            [Made("kubernetes:core/v1:Pod", "app", {"spec": pod(args=["--db-password=hunter22"])})],
        ),
        "a patch of a StatefulSet": (
            SETTINGS,
            [Made("kubernetes:apps/v1:StatefulSetPatch", "app", {"spec": {"template": {"spec": pod(env=listed)}}})],
        ),
    }


ATTACKS: Mapping[str, Attack] = {**_user_data(), **_settings()}
