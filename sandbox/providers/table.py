"""The columns of the AWS table: what a row says of a resource type.

Text values in `params` that begin with `$` and a small letter refer to a property, to `$id`, `$region`, `$account`,
`$partition`, to `$constraint` (the region in S3's words), to `$state.x` (as last read), `$old.x` (inputs before the
update), `$found.x` (read so far), `$added.x` and `$removed.x` (elements of a list, keys of a map), `$tags` and
`$tagKeys`; `$!x` takes the object around it away where x is missing. Paths and `outputs` are JMESPath over AWS's
answer, with the functions of `aws_api`; outputs that begin with `arn:` are format texts.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.providers.protocol import Values

if TYPE_CHECKING:
    from sandbox.providers.aws_api import Api, Thing

ANY = object()  # in `when`: any value, but there must be one
Predicate = Callable[[Values, Values], bool]
REFERENCE = re.compile(r"\$!?([a-z][\w.]*)")


@dataclass(frozen=True)
class Call:
    """An API call. `properties` are sent under their names unless `params` says how; a change of them triggers it."""

    operation: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    properties: tuple[str, ...] = ()
    into: str = ""  # the member of the request that takes the properties
    when: Mapping[str, Any] = field(default_factory=dict[str, Any])
    recorded: bool = False  # AWS has it and neither emulator does
    strict: bool = False  # of a create call: takes nothing but what `params` says


@dataclass(frozen=True)
class Fetch:
    """A call that reads; what `path` finds is merged into the answer, under `key` where there is one."""

    operation: str
    params: Mapping[str, Any]
    path: str
    key: str = ""


@dataclass(frozen=True)
class Tagging:
    tag: Call
    untag: Call
    member: str = "Tags"  # in the create request
    names: tuple[str, str] | None = ("Key", "Value")  # None: a plain map
    resource_type: str = ""  # EC2's TagSpecifications
    read: Fetch | None = None
    one_by_one: bool = False
    outlive: bool = False  # the emulator would give them to the next of that name
    whole: bool = False  # `tag` replaces all tags, `untag` removes them all


@dataclass(frozen=True)
class Row:
    service: str
    create: Call
    read: tuple[Fetch, ...]
    delete: tuple[Call, ...]
    id: str | Callable[[Values], str]  # a path in the create answer; a format text over the inputs; or computed
    import_id: str = ""  # where an import spells the id in another way
    identify: str = ""  # the path of the id in what is read, where it can change
    name: str = ""  # the property that is named automatically
    name_format: str = "{}"
    longest_name: int = 255  # of an automatic one, as pulumi-aws has it; AWS's own limit may be lower
    updates: tuple[Call, ...] = ()  # also called after creation for what the create call does not take
    replace: tuple[str, ...] = ()  # although an update call takes it; what no update takes, anyway
    replace_when: Mapping[str, Predicate] = field(default_factory=dict[str, Predicate])  # of what AWS has and of inputs
    delete_first: bool = False  # before the replacement is made
    returned: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict[str, Callable[[Any], Any]])  # by `forms`
    suppressed: tuple[str, ...] = ()  # of `returned`: the provider sees no change between what is given and returned
    ordered: tuple[str, ...] = ()  # lists in which the order counts; in no other it does
    emptied: tuple[str, ...] = ()  # taking them away is told by an empty text
    inert: tuple[str, ...] = ()  # the provider plans an update of it and then sends nothing
    rename: Mapping[str, str] = field(default_factory=dict[str, str])
    outputs: Mapping[str, str] = field(default_factory=dict[str, str])
    computed: tuple[str, ...] = ()  # inputs that AWS fills in where they are not given
    volatile: tuple[str, ...] = ()  # outputs that an update changes
    hooked: tuple[str, ...] = ()  # inputs that `after_write` sends
    quiet: tuple[str, ...] = ()  # outputs that other resources change: shown only where they are inputs
    local: tuple[str, ...] = ()  # inputs that only the provider looks at
    recorded: tuple[str, ...] = ()  # inputs that the emulator takes and forgets
    unread: tuple[str, ...] = ()  # inputs that AWS does not show again
    secret: tuple[str, ...] = ()  # inputs that no message may quote
    kept: str = ""  # prefix of the ids of a type that neither emulator has: the stand-in keeps its inputs
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])  # `a.b`: in `a`, where `a` is given
    one_of: tuple[tuple[str, ...], ...] = ()  # sets of inputs of which exactly one must be given
    unsupported: tuple[str, ...] = ()  # inputs that the create call would take and the emulators cannot change
    tags: Tagging | None = None
    alive: str = ""  # on what is read: false where the resource still shows but is gone
    settled: str = ""  # on what is read: true when AWS has finished
    listing: Callable[["Api"], list[str]] | None = None  # ids of what users made
    validate: Callable[[Values], Iterator[tuple[str, str]]] | None = None
    before_create: Callable[["Api", "Thing"], Values | None] | None = None  # may return values for the request
    before_update: Callable[["Api", "Thing"], None] | None = None
    after_write: Callable[["Api", "Thing"], None] | None = None
    before_delete: Callable[["Api", "Thing"], None] | None = None
    after_delete: Callable[["Api", "Thing"], None] | None = None


def references(template: Any) -> set[str]:
    """The properties that a template mentions."""
    match template:
        case str():
            match = REFERENCE.fullmatch(template)
            return {match[1].removeprefix("added.").removeprefix("removed.").split(".")[0]} if match else set()
        case Mapping():
            return {name for item in template.values() for name in references(item)}
        case list():
            return {name for item in template for name in references(item)}
        case _:
            return set()


def ec2_tags(resource_type: str, listed: bool = False) -> Tagging:
    own = {"Filters": [{"Name": "resource-id", "Values": ["$id"]}]}
    return Tagging(
        tag=Call("CreateTags", {"Resources": ["$id"], "Tags": "$tags"}),
        untag=Call("DeleteTags", {"Resources": ["$id"], "Tags": "$tagKeyList"}),
        member="TagSpecifications" if resource_type else "",
        resource_type=resource_type,
        read=Fetch("DescribeTags", own, "Tags") if listed else None,
    )


def listing(service: str, operation: str, path: str, **params: Any) -> Any:
    return lambda api: api.look(path, service, operation, **params) or []
