"""Look-ups of what is there already."""

from collections.abc import Generator
from contextlib import contextmanager

import pulumi
import pulumi_aws as aws

from .problems import Problem
from .refusal import RefusedError


def not_found(name: str, id: str, region: str, parent: pulumi.Resource, error: Exception) -> Problem:
    """The problem of an id that AWS does not know or does not show, with the account and region to compare."""
    try:
        account = f"account {aws.get_caller_identity(opts=pulumi.InvokeOptions(parent=parent)).account_id}"
    except Exception:  # most likely for the same reason: no credentials, no network
        account = "an account that could not be looked up either"
    reason = f"was not found in {account}, region {region or 'of the AWS provider'} ({error})"
    return Problem(name, id, reason, "correct the id, the region or the credentials")


@contextmanager
def looking_up(what: str, *actions: str) -> Generator[None]:
    """Tells in a sentence that `what` could not be looked up, and which IAM actions the credentials need for it."""
    try:
        yield
    except pulumi.RunError:
        raise
    except Exception as error:  # the SDK has no narrower one
        needed = " and ".join(actions)
        raise RefusedError(f"{what} could not be looked up ({error}): the credentials need {needed}") from None
