"""A small AWS CLI for machines that have none: it asks nobody but the embedded cloud whose folder SANDBOX_HOME names.

    aws SERVICE OPERATION [--region REGION] [--cli-input-json '{...}'] [--PARAMETER VALUE ...]

Parameters are those of the service's API, in the CLI's spelling: `--vpc-ids vpc-1 vpc-2`. Structures are JSON.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from sandbox import cloud as embedded_cloud
from sandbox.cloud import CloudError

SERVICE_ERROR = 254  # as the real one ends where the service answers with an error


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="aws", allow_abbrev=False)
    parser.add_argument("service")
    parser.add_argument("operation")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    parser.add_argument("--region", required=region is None, default=region)
    parser.add_argument("--output", choices=["json"], default="json")
    parser.add_argument("--cli-input-json", default="{}")
    given, options = parser.parse_known_args(arguments)
    try:
        answer = call(given.service, given.operation, given.region, json.loads(given.cli_input_json), options)
    except ClientError as error:
        sys.stderr.write(f"\n{error}\n")
        return SERVICE_ERROR
    except (BotoCoreError, CloudError, ValueError) as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    sys.stdout.write(json.dumps(answer, default=str))
    return 0


def call(service: str, name: str, region: str, parameters: dict[str, Any], options: list[str]) -> dict[str, Any]:
    """The answer, all pages of it."""
    home = Path(os.environ["SANDBOX_HOME"])
    cloud = embedded_cloud.running(home)
    if cloud is None:
        raise CloudError(f"the embedded cloud of {home} is not running")
    client = cloud.client(service, region)
    operations = {xform_name(each, "-"): each for each in client.meta.service_model.operation_names}
    if name not in operations:
        raise ValueError(f"{service} has no operation {name}")
    shape = client.meta.service_model.operation_model(operations[name]).input_shape
    parameters |= _parameters(shape.members if shape else {}, options)
    method = name.replace("-", "_")
    if client.can_paginate(method):
        answer = client.get_paginator(method).paginate(**parameters).build_full_result()
    else:
        answer = getattr(client, method)(**parameters)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _parameters(members: Mapping[str, Any], options: list[str]) -> dict[str, Any]:
    """What `--vpc-ids vpc-1 vpc-2` and its like mean for the operation."""
    names = {f"--{xform_name(member, '-')}": member for member in members}
    given, values = dict[str, list[str]](), list[str]()
    for option in options:
        if option in names:
            values = given.setdefault(names[option], [])
        elif option.startswith("--") or not given:
            raise ValueError(f"{option} is no option of this operation; it has {', '.join(sorted(names)) or 'none'}")
        else:
            values.append(option)
    return {member: _value(members[member], values) for member, values in given.items()}


def _value(shape: Any, values: list[str]) -> Any:
    kind, text = shape.type_name, " ".join(values)
    if kind == "list" and not text.startswith("["):
        return [_value(shape.member, [value]) for value in values]
    if kind in ("list", "map", "structure"):
        try:
            return json.loads(text)
        except ValueError:
            raise ValueError(f"{text!r} is not JSON, and this AWS CLI knows no other form of a structure") from None
    if kind == "boolean":
        return text != "false"
    return int(text) if kind in ("integer", "long") else float(text) if kind in ("double", "float") else text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
