"""Every public component has a page, which is generated and cannot drift, with an example that runs."""

import os
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from construct import COMPONENTS, DEFINITIONS, PROJECT, run
from eks_analytics.schema import NAME
from every_argument import SCRIPT
from recording_engine import Monitor, serve

EXAMPLES = PROJECT / "examples" / "components"
FILES = {**dict.fromkeys(("license.yaml", "chain.pem", "key.pem"), "content"), "install_de_aws.sh": SCRIPT}


@pytest.fixture(scope="module")
def pages(tool: Callable[[str], ModuleType]) -> ModuleType:
    return tool("reference_pages")


def test_the_folder_holds_the_current_pages(pages: ModuleType) -> None:
    assert pages.main(["--check", str(PROJECT / "docs" / "reference")]) == 0, "run: make docs"


def test_every_component_has_a_page_with_all_its_arguments_and_outputs_by_their_python_names(pages: ModuleType) -> None:
    found = pages.pages()
    assert sorted(found) == sorted(["README.md", *(f"{name}.md" for name in COMPONENTS)])
    for name, definition in DEFINITIONS.items():
        for python in (*definition.inputs_mapping.values(), *definition.outputs_mapping.values()):
            assert f"`{python}`" in found[f"{name}.md"], (name, python)
        assert f"[{name}]({name}.md)" in found["README.md"]


def test_no_cell_breaks_its_table(pages: ModuleType) -> None:
    for name, page in pages.pages().items():
        cells = {line.replace("\\|", "").count("|") for line in page.splitlines() if line.startswith("|")}
        assert cells <= ({3} if name == "README.md" else {4}), name


def test_links_inside_of_a_page_lead_to_its_headings(pages: ModuleType) -> None:
    for name, page in pages.pages().items():
        headings = {line.removeprefix("### ").lower() for line in page.splitlines() if line.startswith("### ")}
        assert {link.split(")")[0] for link in page.split("](#")[1:]} <= headings, name


def test_a_page_that_drifted_or_has_no_component_any_more_is_found_and_mended(
    pages: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Network.md").write_text("old")
    (tmp_path / "Gone.md").write_text("old")
    assert pages.main(["--check", str(tmp_path)]) == 1
    assert "Gone.md" in capsys.readouterr().err
    assert pages.main(["--write", str(tmp_path)]) == 0
    assert pages.main(["--check", str(tmp_path)]) == 0
    assert not (tmp_path / "Gone.md").exists()


@pytest.fixture
def files(tmp_path: Path) -> Iterator[None]:
    """What the examples read."""
    before = Path.cwd()
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    os.chdir(tmp_path)
    yield
    os.chdir(before)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("component", COMPONENTS)
def test_the_example_of_a_page_makes_its_component(pages: ModuleType, component: str) -> None:
    example = EXAMPLES / f"{pages._snake_case(component)}.py"
    assert example.read_text().strip() in pages.pages()[f"{component}.md"]
    monitor = Monitor(preview=False)
    with serve(monitor) as address:
        config = {"importing:kubeconfig": "{}", "importing:admin_password": "correct horse"}
        run(address, lambda: runpy.run_path(str(example), run_name="__main__"), preview=False, config=config)
    assert f"{NAME}:index:{component}" in {request.type for request in monitor.registrations.values()}
    assert monitor.logged == []


def test_there_is_no_example_without_a_component(pages: ModuleType) -> None:
    assert {file.stem for file in EXAMPLES.glob("*.py")} == {pages._snake_case(name) for name in COMPONENTS}
