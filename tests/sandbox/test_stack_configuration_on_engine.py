"""What a stack's file means here is what it means to the engine, whatever form its values have."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from operations import stack_configuration
from operations.console import OperationError
from sandbox import engine

pytestmark = pytest.mark.engine
PROJECT = """\
name: eks-analytics
runtime: python
config:
  aws:region: eu-west-1
  aws:profile: {value: 0123}
  given: {type: string, default: "012345678901"}
  tags: {type: object, default: {a: no, b: 1e3}}
  zones: [a, 012]
"""
Ask = Callable[[bytes], dict[str, str]]


@pytest.fixture(scope="module")
def pulumi(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Asks the engine for the values of a stack's file."""
    folder = tmp_path_factory.mktemp("pulumi")
    (folder / "state").mkdir()
    (folder / "Pulumi.yaml").write_text(PROJECT)
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "for a test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def run(*arguments: str) -> str:
        command = [engine.find(print).binary, "--non-interactive", *arguments, "--stack", "dev"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("stack", "init")

    def ask(content: bytes) -> dict[str, str]:
        (folder / "Pulumi.dev.yaml").write_bytes(content)
        shown = json.loads(run("config", "--json", "--config-file", "Pulumi.dev.yaml"))
        return {key: "a secret" if one["secret"] else one["value"] for key, one in shown.items()}

    return ask


def here(content: bytes, folder: Path) -> dict[str, str]:
    (folder / "Pulumi.yaml").write_text(PROJECT)
    file = folder / "Pulumi.dev.yaml"
    file.write_bytes(content)
    found = stack_configuration.load(file, folder)
    texts = found.texts(lambda path: "[hidden]")
    return {key: "a secret" if key in found.secret_keys else text for key, text in texts.items()}


def assert_same(ours: dict[str, str], engines: dict[str, str]) -> None:
    ours, engines = comparable(ours), comparable(engines)
    differing = [key for key in {**ours, **engines} if ours.get(key, KeyError) != engines.get(key, KeyError)]
    assert {key: ours.get(key) for key in differing} == {key: engines.get(key) for key in differing}


def comparable(values: dict[str, str]) -> dict[str, Any]:
    """JSON as what it says: the order of keys and the escapes in it make no difference to a program."""
    return {key: json.loads(text) if text.startswith(("{", "[")) else text for key, text in values.items()}


NUMBERS = (
    r"[-+]?[0-9_]{1,22}",
    r"[-+]?0[0-9]{1,14}",
    r"[-+]?0[xXoObB][-+]?[0-9a-fA-F_]{1,17}",
    r"[-+]?[0-9_]{0,6}\.[0-9_]{0,6}([eE][-+]?[0-9]{1,3})?",
    r"[-+]?[0-9]{1,4}[eE][-+]?[0-9]{1,3}",
    r"[0-9]{1,3}(:[0-9]{1,2}){1,2}(\.[0-9])?",
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
    r"20[0-9]{2}-1?[0-9]-[12]?[0-9][Tt ] ?[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}([.,][0-9]{1,11})?(Z|[-+][0-9]{2}:[0-9]{2})?",
)
WORDS = (
    "y n yes no on off true false null ~ Null NULL TRUE False True .inf. .NaNa << = 1e 0x 0o 0b - -- -.5 +.5 . .. .e1"
)
PLAIN = st.one_of(
    *(st.from_regex(f"\\A{form}\\Z") for form in NUMBERS),
    st.sampled_from([form for word in WORDS.split() for form in (word, word.upper(), word.title())]),
    st.from_regex(r"\A[A-Za-z0-9][-A-Za-z0-9 _.:/+@=~]{0,12}[A-Za-z0-9]\Z"),
).filter(lambda text: text.isascii() and text.strip() == text and text != "-" and ": " not in text and text[-1] != ":")
QUOTED = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\x85\ufeff"),
    max_size=12,
).map(lambda text: json.dumps(text, ensure_ascii=False))
TAGGED = st.sampled_from(
    [
        *(
            "!!str 012",
            "!!int '3'",
            "!!float 3",
            "!!binary aGk=",
            "!!null ''",
            "!own 12",
            "! 12",
            "'012'",
            '"no"',
            "! '12'",
        )
    ]
)
SCALARS = st.one_of(PLAIN, PLAIN, PLAIN, QUOTED, TAGGED)


@settings(
    max_examples=14, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True
)
@given(
    st.lists(SCALARS, min_size=40, max_size=40),
    st.lists(PLAIN.filter(lambda key: key != "<<"), min_size=10, max_size=10),
)
def test_every_form_of_a_scalar_has_the_value_that_the_engine_gives_it(
    pulumi: Ask, tmp_path_factory: pytest.TempPathFactory, scalars: list[str], keys: list[str]
) -> None:
    lines = [f"  k{number}: {scalar}" for number, scalar in enumerate(scalars)]
    lines += ["  inside:", *(f"    k{number}: {scalar}" for number, scalar in enumerate(scalars))]
    lines += ["  list:", *(f"    - {scalar}" for scalar in scalars)]
    lines += ["  keys:", *(f"    {key}: {number}" for number, key in enumerate(dict.fromkeys(keys)))]
    content = "\n".join(["config:", *lines, ""]).encode()
    assert_same(here(content, tmp_path_factory.mktemp("here")), pulumi(content))


FILES = {
    "anchors and merge keys": """\
config:
  a: &a {x: no, y: 012, z: ~}
  b: {<<: *a, y: 1}
  c: [*a, {<<: [{x: 1}, *a]}]
  d: {'<<': {x: 2}}
  e: &n 012
  f: *n
""",
    "a byte-order mark": "\ufeffconfig:\n  a: no\nmore: 1\n",
    "Windows line ends": "config:\r\n  a: no\r\n  b: |\r\n    one\r\n    two\r\n  c: >-\r\n    x\r\n    y\r\n",
    "JSON": '{"config": {"a": "012", "b": [1, 2.50, 1e3, null], "c": {"x":1, y:2}, d: {}}}',
    "values that are missing": "config:\n  a:\n  b: ~\n  c: {x: , y: ~}\n  d: []\n  e: {}\n",
    "a second document and what is no setting": "%YAML 1.1\n---\nconfig: {a: 1}\nmore: 2\n...\njunk: [\n",
    "keys of other forms": "config:\n  aws:config:region: us-east-1\n  tags: {a: b}\n  eks-analytics:given: 0123\n",
    "secrets": "config:\n  a: {secure: v1:x}\n  b: {c: [{secure: y}]}\n  c: {secure: 12}\n  d: {secure: x, e: z}\n",
    "tabs": "config:\n  a:\tno\n  b: \t12\t# that many\n  c: [\t1,\t2 ]\n",
    "nothing": "",
    "a comment only": "# to come\n",
    "no settings": "config:\n",
    "texts over several lines": """\
config:
  a: one
    two

    three
  b: 'it''s'
  c: "a\\tb\\x41\\
    c"
  d: |2-
      x
     y
  e: >+
    x

  f: a#b
  g: 'x' # y
""",
    "large numbers": """\
config:
  a: 18446744073709551615
  b: {c: 18446744073709551615, d: 9223372036854775807, e: -9223372036854775808, f: 18446744073709551616}
  c: [9223372036854775808, 1e20, 1e21, 0.000001, 0.0000001, -0.0]
  d: -0.0
  e: 1e-7
  f: 123456789012345678901234567890
""",
    "keys that are no texts": """\
config:
  a: {1: a, true: b, ~: c, 1.5: d, 1e6: e, 2027-01-31: f, 0x10: g, 123456789.0: h, .5: i}
""",
    "sets and odd tags": """\
config:
  a: !!set {x, y}
  b: !mine {c: 1}
  d: !!omap [a: 1]
  e: !!map {f: 1}
  g: !!seq [1]
""",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_every_form_of_a_file_has_the_values_that_the_engine_gives_it(
    pulumi: Ask, tmp_path: Path, content: str
) -> None:
    assert_same(here(content.encode(), tmp_path), pulumi(content.encode()))


def test_the_copy_for_the_engine_says_the_same(pulumi: Ask, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    values: dict[str, Any] = {
        "eks-analytics:odd": ["012", "no", "😀", "\\ud83d\\ude00", "\x7f", "\u2028", "a: b #", 1e21, 1e-9]
    }
    for number, content in enumerate(FILES.values()):
        file.write_text(content, newline="")
        found = stack_configuration.load(file, tmp_path)
        values |= {f"{key}-{number}": found.values[key] for key in found.own_keys}
    whole = found.with_own(values)
    copy = whole.document(lambda _: {"secure": "v1:x"}, encryptionsalt="v1:x")
    assert_same(
        {key: "a secret" if key in whole.secret_keys else text for key, text in whole.texts(lambda _: "").items()},
        pulumi(copy.encode()),
    )


REFUSED = {
    "a key twice": "config:\n  a: {b: 1, b: 2}\n",
    "a list of settings": "config: [a]\n",
    "a text": "config\n",
    "a key of three parts": "config:\n  a:b:c: 1\n",
    "a tag that does not fit": "config:\n  a: !!bool yes\n",
    "infinity": "config:\n  a: {b: -.inf}\n",
    "no number": "config:\n  a: .nan\n",
    "an anchor in itself": "config:\n  a: &a {b: *a}\n",
    "an unknown anchor": "config:\n  a: *b\n",
    "a merge of a text": "config:\n  a: {<<: b}\n",
    "a merge of a number, in quotes": "config:\n  a: {'<<': 2}\n",
    "a tab at the beginning": "config:\n\ta: 1\n",
    "a key that is no text": "1: x\n",
    "an open bracket": "config: {a: [1\n",
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_what_the_engine_refuses_is_refused_in_a_sentence_that_shows_no_value(
    pulumi: Ask, tmp_path: Path, content: str
) -> None:
    with pytest.raises(OperationError, match=r"^Pulumi\.dev\.yaml") as refused:
        here(content.encode(), tmp_path)
    assert "\n" not in str(refused.value)
    with pytest.raises(AssertionError):
        pulumi(content.encode())
