"""The same files under the engine's own command line, without our driver: what a team types on AWS.

The Go build of the engine brings no Python language host, so a small one stands in: it runs `__main__.py`, and is the
only part of this path that is not the official one.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from environments import PROJECT
from sandbox import cloud as embedded_cloud
from sandbox import demo_files, engine
from sandbox.knobs import Knobs
from sandbox.kubernetes_api import build
from sandbox.providers.aws import AwsProvider
from sandbox.providers.command import CommandProvider
from sandbox.providers.eks import EksProvider
from sandbox.providers.kubernetes import KubernetesProvider
from sandbox.providers.protocol import serve
from sandbox.stack import import_sdk

sys.path.insert(0, str(PROJECT / "tools"))

from approved_plan import lines


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "clone"
    files = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    for name in filter(None, files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, folder / name)
    yield folder
    embedded_cloud.stop(tmp_path / "home")


@pytest.mark.thorough
def test_the_official_command_line_plans_and_applies_the_same_files(clone: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    import_sdk()

    def cloud() -> embedded_cloud.Cloud:
        return embedded_cloud.start(home)

    stand_ins = {
        "aws": AwsProvider(cloud, Knobs(), lambda _: None),
        "eks": EksProvider(),
        "kubernetes": KubernetesProvider(cloud),
        "command": CommandProvider(cloud, print),
    }
    pulumi = str(engine.find(print).binary)
    build.ensure(print)
    with serve(stand_ins) as attached:
        variables = {
            **os.environ,
            "PATH": f"{PROJECT / 'sandbox' / 'languages'}{os.pathsep}{os.environ['PATH']}",
            "SANDBOX_PYTHON": sys.executable,
            "PULUMI_HOME": str(tmp_path / "pulumi"),
            "PULUMI_BACKEND_URL": f"file://{tmp_path}",
            "PULUMI_CONFIG_PASSPHRASE": "emulated",
            "PULUMI_DEBUG_PROVIDERS": attached,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

        def run(*arguments: str, code: int = 0) -> str:
            done = subprocess.run(
                [pulumi, *arguments, "--non-interactive", "--stack", "dev"],
                cwd=clone,
                env=variables,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
            )
            assert done.returncode == code, done.stdout + done.stderr
            assert "Traceback" not in done.stdout + done.stderr
            return done.stdout + ("" if "--json" in arguments else done.stderr)

        init = [pulumi, "stack", "init", "dev", "--non-interactive"]
        subprocess.run(init, cwd=clone, env=variables, check=True, capture_output=True)
        planned = run("preview")
        assert "aws:eks:Cluster" in planned
        assert (
            "cannot be read" in planned or "does not exist" in planned or "license" in planned
        )  # demo files are absent
        run("config", "set", "--path", "cluster.version", "9.99")
        assert "cluster.version" in run("preview", code=1)
        run("config", "set", "--path", "cluster.version", "1.35", "--type", "string")
        demo_files.ensure(clone, clone / "Pulumi.dev.yaml", print)
        refused = run("up", "--yes", code=1)
        assert "2 problems" in refused
        assert (
            "is a demo certificate for the embedded cloud" in refused
        )  # nobody takes a demo certificate to AWS by accident
        assert "pulumi config set --secret admin_password" in refused
        run("config", "set", "--path", "dash_enterprise.tls_trust_store_file", "demo/dev/ca.pem")
        run("config", "set", "--path", "policies.parameters.require-tags.tags[0]", "cost-center")
        judged = run("preview", "--policy-pack", "policies", code=1)
        assert "require-tags" in judged
        assert "dash-dev-vpc: lacks the tags cost-center" in judged
        run("config", "rm", "--path", "policies.parameters")
        judged = run("preview", "--policy-pack", "policies")
        assert "dash-dev-host: .userData is known only after the update, which judges it" in judged
        assert "mandatory" not in judged
        run("config", "set", "admin_password", "anybody reads this")
        assert "stands in clear text" in run("preview", code=1)
        run("config", "set", "--secret", "admin_password", "correct horse")

        def operations() -> list[str]:
            return lines(json.loads(run("preview", "--json")))

        approved = operations()
        assert sum(line.startswith("create urn:pulumi:dev::") for line in approved) > 70
        assert operations() == approved
        run("up", "--yes", "--policy-pack", "policies")
        assert operations() == []
        run("preview", "--expect-no-changes")
        assert "cluster/dash-dev" in run("stack", "output", "cluster_arn")
        state = "".join(path.read_text() for path in (tmp_path / ".pulumi").rglob("*.json"))
        assert "correct horse" not in state
        run("destroy", "--yes")
