"""One way to the emulated AWS: counted, failed on demand, with errors that name the call."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import jmespath
import jmespath.functions
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.loaders import Loader

from sandbox.cloud import ACCOUNT_ID as ACCOUNT_ID
from sandbox.knobs import INJECTED, Knobs
from sandbox.providers.protocol import ProviderError, Values


class Cloud(Protocol):
    def client(self, service: str, region: str) -> Any: ...
    def note(self, service: str, operation: str, recorded: bool = False) -> None: ...
    def store(self, bucket: str) -> Any: ...
    def system_tag(self, resource_id: str, tags: dict[str, str], region: str) -> None: ...


class AwsError(ProviderError):
    def __init__(self, service: str, operation: str, code: str, message: str) -> None:
        super().__init__(f"{service}:{operation}: {code}: {message}")
        self.code = code

    @property
    def not_found(self) -> bool:
        # 404: S3 on HEAD. InvalidDocument: Systems Manager.
        return bool(re.search(r"NotFound|NoSuch|NonExistent|NotAttached|^404$|^InvalidDocument$", self.code))


class _Functions(jmespath.functions.Functions):
    """Beside JMESPath's own: `trim(text, characters)`, since AWS ends domain names with a dot and quotes entity tags,
    `after(text, separator)`, the last part of an ARN, `parsed(text)`, a document that AWS tells as a text,
    `dns_name(text)`, as Route 53 writes names but for the last dot, and `public_dns(address, region)`, EC2's name of an
    address."""

    @jmespath.functions.signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_trim(self, text: str | None, characters: str) -> str | None:
        return text and text.strip(characters)

    @jmespath.functions.signature({"types": ["string"]})
    def _func_dns_name(self, text: str) -> str:
        return text.removesuffix(".").lower()

    @jmespath.functions.signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_public_dns(self, address: str | None, region: str) -> str | None:
        place = "compute-1" if region == "us-east-1" else f"{region}.compute"
        return address and f"ec2-{address.replace('.', '-')}.{place}.amazonaws.com"

    @jmespath.functions.signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_after(self, text: str | None, separator: str) -> str | None:
        return text and text.rpartition(separator)[2]

    @jmespath.functions.signature({"types": ["string", "null"]})
    def _func_parsed(self, text: str | None) -> Any:
        return text and json.loads(text)


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def find(path: str, value: Any) -> Any:
    return jmespath.search(path, value, options=_OPTIONS)


@dataclass(frozen=True)
class Api:
    connect: Callable[[], Cloud]
    region: str
    knobs: Knobs = field(default_factory=Knobs)

    @property
    def cloud(self) -> Cloud:
        return self.connect()

    def call(self, service: str, operation: str, **params: Any) -> Values:
        self.may_fail(service, operation)
        try:
            answer = getattr(self.cloud.client(service, self.region), xform_name(operation))(**params)
        except ClientError as error:
            details = error.response.get("Error", {})
            raise AwsError(service, operation, details.get("Code", ""), details.get("Message", str(error))) from None
        except ParamValidationError as error:
            raise AwsError(service, operation, "ValidationError", str(error)) from None
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def may_fail(self, service: str, operation: str) -> None:
        if self.knobs.fails(service, operation):
            raise AwsError(service, operation, "InternalError", INJECTED)

    def look(self, path: str, service: str, operation: str, **params: Any) -> Any:
        """What `path` finds in the answer; None where AWS knows no such thing."""
        try:
            return find(path, self.call(service, operation, **params))
        except AwsError as error:
            if error.not_found:
                return None
            raise


@dataclass
class Thing:
    """A resource under way: what the hooks of a row see."""

    type: str
    id: str
    inputs: Values
    state: Values = field(default_factory=dict[str, Any])
    old: Values | None = None  # the inputs before an update
    record: Values = field(default_factory=dict[str, Any])  # kept by the stand-in beside the emulator
    left: set[str] = field(default_factory=set[str])  # paths of inputs that are still to be written


def partition_of(region: str) -> str:
    return _partition(region)["id"]


def dns_suffix_of(region: str) -> str:
    return _partition(region)["outputs"]["dnsSuffix"]


@cache
def _partition(region: str) -> Values:
    """As AWS's SDKs decide: by the form of the region's name, commercial where none fits."""
    known: list[Values] = Loader().load_data("partitions")["partitions"]
    return next((one for one in known if re.match(one["regionRegex"], region)), known[0])
