"""End-to-end tests type what a person types; each has an embedded cloud of its own, ended with the test."""

from collections.abc import Iterator

import pytest
import yaml

from environments import PROJECT, Environment, MakeEnvironment
from sandbox import cloud as embedded_cloud
from sandbox.cloud import Cloud
from sandbox.kubernetes_api import build


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An embedded cloud without a stack, ended with the module."""
    home = tmp_path_factory.mktemp("cloud") / "dev"
    yield embedded_cloud.start(home)
    embedded_cloud.stop(home)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeEnvironment]:
    """Makes environments from the example stacks; their embedded clouds end with the module."""
    build.ensure(print)  # no command of a test is to wait for that
    made: list[Environment] = []

    def make(stack: str = "dev", *, policies: bool = False, backups: bool = True, **variables: str) -> Environment:
        config = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text())["config"]
        if not backups:  # a third less to wait for
            del config["eks-analytics:velero"]
        new = Environment(tmp_path_factory.mktemp(stack), stack, config, variables=variables, policies=policies)
        made.append(new)
        return new

    yield make
    for one in made:
        one.kill()
