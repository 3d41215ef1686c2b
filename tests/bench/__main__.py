"""`make bench`: what the components cost over a flat program of the same resources, and how long a first update takes.

Previews of both programs run in turn, as whole processes on the real engine, and are compared pair by pair, because the
speed of a machine drifts. The flat program is generated from the component program's own plan.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from sandbox import engine
from sandbox.critical_path import critical_path, shortest_possible
from sandbox.stack import SandboxStack
from tests.bench.flat_program import write_flat_program

PROJECT = Path(__file__).resolve().parents[2]
PAIRS = 5
CDK_BLUEPRINTS_SECONDS = 3.2  # `cdk synth` of a CDK EKS Blueprints program of the same scope, on a machine of 2 cores
console = Console(highlight=False, soft_wrap=True)


def child(project: Path, stack_name: str, config: Path, home: Path, plan: str) -> None:
    """One preview in this process; prints its figures as JSON."""
    began = time.monotonic()
    found = engine.find(lambda _: None)
    stack = SandboxStack(project, stack_name, home, found, lambda _: None, config_file=config, environment_of=PROJECT)
    with stack.exclusive(), stack.opened() as opened:
        result = opened.preview(json=True) if plan else opened.preview(on_event=lambda _: None)
    if plan:
        Path(plan).write_text(result.stdout)
    ended = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    figures = {
        "seconds": time.monotonic() - began,
        "cpu": sum(usage.ru_utime + usage.ru_stime for usage in ended),
        "megabytes": ended[0].ru_maxrss / 1024,
        "sdk": sorted(
            name for name in sys.modules if name.split(".")[0] in ("pulumi_aws", "pulumi_eks", "pulumi_kubernetes")
        ),
    }
    print(json.dumps(figures))  # noqa: T201 - the parent reads it


def measure(project: Path, config: Path, home: Path, plan: str = "") -> dict[str, Any]:
    stack_name = config.name.split(".")[1]
    arguments = [sys.executable, "-m", "tests.bench", "child", str(project), stack_name, str(config), str(home), plan]
    began = time.monotonic()
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=PROJECT, env=dict(os.environ))
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return {**json.loads(done.stdout.splitlines()[-1]), "wall": time.monotonic() - began}


@dataclass
class Pair:
    """The component program with one configuration, and the flat program generated from its plan."""

    config: Path
    components: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    flat: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    resources: int = 0

    def warm_up(self) -> None:
        folder = self.config.parent
        plan = folder / "plan.json"
        measure(PROJECT, self.config, folder / "home", str(plan))
        self.resources = write_flat_program(json.loads(plan.read_text()), PROJECT, folder / "flat")
        measure(folder / "flat", self.config, folder / "flat-home")

    def run(self) -> None:
        folder = self.config.parent
        self.components.append(measure(PROJECT, self.config, folder / "home"))
        self.flat.append(measure(folder / "flat", self.config, folder / "flat-home"))


def ratio(components: list[dict[str, Any]], flat: list[dict[str, Any]], figure: str) -> float:
    return statistics.median(one[figure] / other[figure] for one, other in zip(components, flat, strict=True))


def median(runs: list[dict[str, Any]], figure: str) -> float:
    return statistics.median(run[figure] for run in runs)


def with_node_groups(config: dict[str, Any], number: int) -> dict[str, Any]:
    group = config["eks-analytics:node_groups"][0]
    groups = [{**group, "name": f"group-{index}"} for index in range(number)]
    return {**config, "eks-analytics:node_groups": groups}


def with_workspaces(config: dict[str, Any], number: int) -> dict[str, Any]:
    block = config["eks-analytics:e6data"]
    workspaces = [{**block["workspaces"][0], "name": f"workspace{index}"} for index in range(number)]
    return {**config, "eks-analytics:e6data": {**block, "workspaces": workspaces}}


def slope(few: Pair, many: Pair, figure: str) -> float:
    """How much more each further resource costs with components than flat: the median over the pairs."""
    return statistics.median(
        (components_many[figure] - components_few[figure]) / (flat_many[figure] - flat_few[figure])
        for components_few, components_many, flat_few, flat_many in zip(
            few.components, many.components, few.flat, many.flat, strict=True
        )
    )


def prepared(folder: Path, stack_name: str, config: dict[str, Any]) -> Pair:
    folder.mkdir()
    file = folder / f"Pulumi.{stack_name}.yaml"
    file.write_text(yaml.safe_dump({"config": config}))
    pair = Pair(file)
    pair.warm_up()
    return pair


def import_share(modules: list[str], whole: float) -> tuple[float, float]:
    code = "import time; t = time.monotonic(); import importlib, pulumi\nb = time.monotonic()\n"
    code += f"for name in {modules!r}: importlib.import_module(name)\nprint(time.monotonic() - b)"
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    return statistics.median(seconds), statistics.median(seconds) / whole


def verdict(name: str, value: float, target: float) -> bool:
    met = value <= target
    console.print(f"  {name:<58} {value:6.3f}  target ≤ {target:.2f}  {'[green]met[/]' if met else '[red]missed[/]'}")
    return met


def provisioning(config: Path, folder: Path) -> tuple[float, float, list[tuple[str, float]]]:
    home = folder / "applied"
    arguments = [sys.executable, "-m", "sandbox"]
    options = ["--stack", "dev", "--home", str(home)]
    subprocess.run([*arguments, "up", *options, "--config-file", str(config)], check=True, stdout=subprocess.DEVNULL)
    state = home / "state" / ".pulumi" / "stacks" / "eks-analytics" / "dev.json"
    resources = json.loads(state.read_text())["checkpoint"]["latest"]["resources"]
    subprocess.run([*arguments, "stop", *options], check=True, stdout=subprocess.DEVNULL)
    seconds, chain = critical_path(resources)
    return seconds, shortest_possible(resources), chain


def main() -> int:
    met: list[bool] = []
    dev, e6data = (
        yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text())["config"] for stack in ("dev", "e6data")
    )
    with tempfile.TemporaryDirectory() as scratch:
        measured = {
            number: prepared(Path(scratch) / str(number), "dev", with_node_groups(dev, number) if number else dev)
            for number in (0, 1, 50)
        }
        workspaces = {
            number: prepared(Path(scratch) / f"workspaces-{number}", "e6data", with_workspaces(e6data, number))
            for number in (1, 100)
        }
        for _ in range(PAIRS):  # all in turn: the slopes compare runs of the same minute
            for pair in (*measured.values(), *workspaces.values()):
                pair.run()
        for number, pair in measured.items():
            components, flat = pair.components, pair.flat
            label = f"dev with {number} node groups" if number else "dev as it is"
            console.print(f"\n[bold]Preview of {label}[/] ({pair.resources} resources, {PAIRS} pairs, medians)")
            console.print(f"  components {median(components, 'wall'):.2f} s, flat {median(flat, 'wall'):.2f} s")
            met.append(verdict("wall time, components / flat", ratio(components, flat, "wall"), 1.10))
            met.append(verdict("peak memory, components / flat", ratio(components, flat, "megabytes"), 1.10))
            if number == 0:
                whole = median(components, "wall")
                seconds, share = import_share(components[0]["sdk"], whole)
                console.print(f"  importing provider SDKs: {seconds:.2f} s, {100 * share:.0f} % of the preview")
                met.append(verdict("preview in seconds, against cdk synth", whole, CDK_BLUEPRINTS_SECONDS))
        console.print(
            "\n[bold]Slopes[/], components / flat; processor time, which other work on the machine disturbs less"
        )
        for name, few, many in (
            ("1 to 50 node groups", measured[1], measured[50]),
            ("1 to 100 workspaces", workspaces[1], workspaces[100]),
        ):
            met.append(verdict(f"{name}, processor seconds", slope(few, many, "cpu"), 1.10))
            met.append(verdict(f"{name}, peak memory", slope(few, many, "megabytes"), 1.10))
        config = Path(scratch) / "0" / "Pulumi.dev.yaml"
        seconds, ideal, chain = provisioning(config, Path(scratch))
    console.print("\n[bold]First update on AWS[/], from the engine's dependency graph and median provisioning times")
    for name, at in chain:
        console.print(f"  {at:7.0f} s  {name}")
    met.append(verdict("critical path / (VPC → control plane → CNI → nodes → add-on → host)", seconds / ideal, 1.02))
    return 0 if all(met) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), Path(sys.argv[5]), sys.argv[6])
    else:
        sys.exit(main())
