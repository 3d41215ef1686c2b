"""`aws` and `kubectl` of a small pretended world, for the drain: `python drain_world.py PROGRAM WORLD_FILE ARGUMENTS`.

Services and load balancers go as they do where controllers run: what is deleted is gone at the next look, and its load
balancer with it.
"""

import fnmatch
import json
import sys
from pathlib import Path
from typing import Any

World = dict[str, Any]


def main(program: str, file: Path, arguments: list[str]) -> None:
    world: World = json.loads(file.read_text())
    failing = world.setdefault("failing", {})
    if failing.get(program, 0) and arguments[:2] != ["eks", "describe-cluster"]:
        failing[program] -= 1
        file.write_text(json.dumps(world))
        sys.exit("Unable to connect to the server: dial tcp: i/o timeout")
    answer = (_aws if program == "aws" else _kubectl)(world, arguments)
    world["calls"] = [*world.get("calls", []), [program, *arguments]]
    file.write_text(json.dumps(world))
    sys.stdout.write(json.dumps(answer))


def _aws(world: World, arguments: list[str]) -> Any:
    service, operation, *options = arguments
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert given["--region"] == "us-east-1"
    parameters = json.loads(given.get("--cli-input-json", "{}"))
    match service, operation:
        case "eks", "describe-cluster":
            if world["cluster"] is None:
                sys.exit(
                    "An error occurred (ResourceNotFoundException) when calling the DescribeCluster operation: none"
                )
            if world["cluster"] == "DENIED":
                sys.exit("An error occurred (AccessDeniedException) when calling the DescribeCluster operation: no")
            return {"cluster": {"status": world["cluster"]}}
        case "elb" | "elbv2", "describe-load-balancers":
            return {"LoadBalancerDescriptions" if service == "elb" else "LoadBalancers": world[service]}
        case "elb" | "elbv2", "describe-tags":
            key = "LoadBalancerName" if service == "elb" else "LoadBalancerArn"
            (asked,) = parameters.values()
            assert 0 < len(asked) <= 20
            found = [one for one in world[service] if one[key] in asked]
            name = "LoadBalancerName" if service == "elb" else "ResourceArn"
            return {"TagDescriptions": [{name: one[key], "Tags": _listed(one["tags"])} for one in found]}
        case "ec2", "describe-security-groups":
            return {"SecurityGroups": [group for group in world["groups"] if _matches(group, parameters["Filters"])]}
    sys.exit(f"unexpected: aws {service} {operation}")


def _matches(group: World, filters: list[World]) -> bool:
    facts = {"vpc-id": group["VpcId"], "group-name": group["GroupName"]}
    facts |= {f"tag:{key}": value for key, value in group["tags"].items()}
    return all(fnmatch.fnmatchcase(facts.get(one["Name"], ""), one["Values"][0]) for one in filters)


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _kubectl(world: World, arguments: list[str]) -> Any:
    (kubeconfig,) = [one.partition("=")[2] for one in arguments if one.startswith("--kubeconfig=")]
    assert Path(kubeconfig).read_text() == "the kubeconfig"
    assert Path(kubeconfig).stat().st_mode & 0o077 == 0
    world["kubeconfig"] = kubeconfig
    verb, kind, *rest = arguments
    if verb == "get":
        if kind.startswith("gateways") and not world.get("has_gateways"):
            sys.exit('error: the server doesn\'t have a resource type "gateways"')
        _reconcile(world)
        return {"items": [one["object"] for one in world["objects"] if one["kind"] in kind.split(",")]}
    name, namespace = rest[0], rest[rest.index("--namespace") + 1]
    if verb == "scale":
        name = kind.partition("/")[2]
    for one in world["objects"]:
        metadata = one["object"]["metadata"]
        if (metadata["name"], metadata["namespace"]) == (name, namespace) and verb == "scale":
            one["object"]["spec"]["replicas"] = 0
        elif (one["kind"], metadata["name"], metadata["namespace"]) == (kind, name, namespace):
            metadata["deletionTimestamp"] = "now"
            metadata["finalizers"] = ["service.k8s.aws/resources"]
    return None


def _reconcile(world: World) -> None:
    """What the controllers do between two looks."""
    if world.get("controllers_are_dead"):
        return
    for one in list(world["objects"]):
        if "deletionTimestamp" not in one["object"]["metadata"]:
            continue
        world["objects"].remove(one)
        if world.get("made_again", 0):
            world["made_again"] -= 1
            fresh = {key: value for key, value in one["object"]["metadata"].items() if key != "deletionTimestamp"}
            fresh["uid"] += "-again"
            world["objects"].append({**one, "object": {**one["object"], "metadata": fresh}})
            continue
        made = one["object"]["metadata"]["name"]
        for kind in ("elb", "elbv2", "groups"):
            world[kind] = [resource for resource in world[kind] if resource.get("made_for") != made]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
