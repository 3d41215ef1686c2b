"""What the drains of a teardown have in common: they ask AWS, wait for what is left to go, and say what they see.

`pulumi destroy` runs this text and that of one drain as a single program. Needs Python 3.9, `aws`, and nothing besides
the standard library.

Environment: DRAIN_CLUSTER, DRAIN_REGION, DRAIN_SECONDS (wait at most so long).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

CLUSTER, REGION = os.environ["DRAIN_CLUSTER"], os.environ["DRAIN_REGION"]
SECONDS = float(os.environ["DRAIN_SECONDS"])
PAUSE = float(os.environ.get("DRAIN_PAUSE", "10"))  # seconds between two looks
TRIES = 6  # looks that may fail, one after the other
REPEAT = 60  # seconds after which the same waiting is said again


class CommandError(Exception):
    """A command failed; another try may help."""


class DrainError(Exception):
    """The drain cannot go on; the message says what to do."""


def wait_until_gone(look: Callable[[], list[str]], give_up: Callable[[list[str]], str]) -> None:
    """Until a look finds nothing any more. DrainError with what `give_up` says of the rest, where that takes too long,
    or where looks keep failing."""
    deadline = time.monotonic() + SECONDS
    said, said_at, failures = "", 0.0, 0
    while True:
        try:
            left, failures = look(), 0
        except CommandError as error:
            failures += 1
            if failures == TRIES:
                raise DrainError(f"{error}\n{way_out()}") from None
            left = [f"another try, since {error}"]
        if not left:
            return
        if time.monotonic() > deadline:
            raise DrainError(f"After {SECONDS:.0f} seconds there is still: {', '.join(left)}. {give_up(left)}")
        waiting = f"Waiting for {', '.join(left)}"
        if waiting != said or time.monotonic() - said_at > REPEAT:
            said, said_at = waiting, time.monotonic()
            say(f"{waiting} (for at most {deadline - time.monotonic():.0f} seconds more).")
        time.sleep(PAUSE)


def cluster() -> dict[str, Any] | None:
    """The cluster as EKS describes it; None where it is gone."""
    try:
        return aws("eks", "describe-cluster", name=CLUSTER)["cluster"]
    except CommandError as error:
        if "ResourceNotFoundException" in str(error):
            return None
        raise DrainError(f"{error}\n{way_out()}") from None


def aws(service: str, operation: str, **parameters: Any) -> dict[str, Any]:
    """What the AWS CLI answers; it prints nothing where the operation answers nothing."""
    given = ("--cli-input-json", json.dumps(parameters)) if parameters else ()
    return json.loads(run("aws", service, operation, "--region", REGION, "--output", "json", *given) or "{}")


def run(*command: str) -> str:
    """What the command prints. It answers in time, or has failed."""
    try:
        process = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "AWS_PAGER": ""},
            check=False,
        )
    except FileNotFoundError:
        raise DrainError(f"{command[0]} is not on PATH, and the destroy needs it. {way_out()}") from None
    except subprocess.TimeoutExpired:
        raise CommandError(f"{' '.join(command[:3])} did not answer within two minutes") from None
    if process.returncode:
        lines = process.stderr.strip().splitlines() or [f"it ended with {process.returncode} and said nothing"]
        raise CommandError(f"{' '.join(command[:3])} failed: {lines[-1]}")
    return process.stdout


def by_hand(commands: list[str]) -> str:
    """How to do with the AWS CLI what the drain could not."""
    listed = "\n".join(f"  {command} --region {REGION}" for command in commands)
    return f"By hand, these remove what is left in AWS:\n{listed}\nThen destroy again." if commands else ""


def way_out() -> str:
    return (
        "Install or repair it, or see that this machine has access, and destroy again. Where the cluster cannot be "
        "reached any more, delete its load balancers, their security groups and its volumes by hand, and take this "
        "step out of the state: pulumi state delete with its URN, which pulumi stack --show-urns shows."
    )


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run_to_the_end(main: Callable[[], None]) -> None:
    """The program: what it cannot do ends it, with the reason on standard error."""
    try:
        main()
    except DrainError as error:
        sys.exit(str(error))
