"""The AWS CLI on the embedded cloud: `aws SERVICE OPERATION --region REGION --cli-input-json '{...}'` and no more.

It is for machines that have no AWS CLI, and it asks nobody but the embedded cloud whose folder SANDBOX_HOME names.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox import cloud as embedded_cloud
from sandbox.cloud import CloudError

SERVICE_ERROR = 254  # as the real one ends where the service answers with an error


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="aws", allow_abbrev=False)
    parser.add_argument("service")
    parser.add_argument("operation")
    parser.add_argument("--region", required=True)
    parser.add_argument("--output", choices=["json"], default="json")
    parser.add_argument("--cli-input-json", default="{}")
    given = parser.parse_args(arguments)
    try:
        answer = call(given.service, given.operation.replace("-", "_"), given.region, json.loads(given.cli_input_json))
    except ClientError as error:
        sys.stderr.write(f"\n{error}\n")
        return SERVICE_ERROR
    except (AttributeError, BotoCoreError, CloudError) as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    sys.stdout.write(json.dumps(answer, default=str))
    return 0


def call(service: str, operation: str, region: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The answer, all pages of it."""
    home = Path(os.environ["SANDBOX_HOME"])
    cloud = embedded_cloud.running(home)
    if cloud is None:
        raise CloudError(f"the embedded cloud of {home} does not run")
    client = cloud.client(service, region)
    if client.can_paginate(operation):
        answer = client.get_paginator(operation).paginate(**parameters).build_full_result()
    else:
        answer = getattr(client, operation)(**parameters)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
