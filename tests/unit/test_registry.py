"""Modules and drivers are found by name."""

import sys
from pathlib import Path

import pytest

from runner.errors import InputError
from runner.registry import Registry

GREET = '''"""Greets."""

from runner.api import Context, Module, arg

from .words import HELLO


class Greet(Module):
    """Say hello."""

    name: str = arg(primary=True, help="to whom")

    def run(self, context: Context) -> None:
        context.log(HELLO + self.name)
'''


def folder(tmp_path: Path, **files: str) -> str:
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    return str(tmp_path)


def refused(tmp_path: Path, text: str, name: str = "greet") -> str:
    registry = Registry.built_in().with_folder(folder(tmp_path, broken=text))
    with pytest.raises(InputError) as caught:
        registry.verb(name)
    (only,) = caught.value.faults
    return f"{only.at.line if only.at else 0} {only.code} {only.message}"


def test_a_verb_and_a_driver_may_share_a_name() -> None:
    registry = Registry.built_in()
    verb, driver = registry.verb("command"), registry.driver("command")

    assert verb is not None
    assert driver is not None
    assert (verb.family, driver.family) == ("core", "power")


def test_a_folder_of_the_user_is_a_package_of_its_own(tmp_path: Path) -> None:
    registry = Registry.built_in().with_folder(folder(tmp_path, greet=GREET, words='HELLO = "hello "\n'))
    verb = registry.verb("greet")

    assert verb is not None
    assert list(verb.parameters) == ["name"]
    assert str(tmp_path) not in sys.path
    assert {Path(file).name for file, _source in registry.sources().values()} == {"greet.py", "words.py"}


def test_two_classes_of_one_name_are_refused_with_both_files(tmp_path: Path) -> None:
    text = GREET.replace("Greet(", "PowerCycle(")
    with pytest.raises(
        InputError, match=r"two classes for the module 'power_cycle': in .*power_cycle\.py and in .*mine\.py"
    ):
        Registry.built_in().with_folder(folder(tmp_path, mine=text))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("from .words import HELLO", "import nosuchlibrary"),
            "5 E211 ModuleNotFoundError: No module named 'nosuchlibrary'",
        ),
        (("class Greet(Module):", "class Greet(Module)::"), "8 E211 SyntaxError: invalid syntax"),
        (("from .words import HELLO", "1 / 0"), "5 E211 ZeroDivisionError: division by zero"),
        (("from .words import HELLO", "import sys; sys.exit(3)"), "5 E211 SystemExit: 3"),
        (('    """Say hello."""\n', ""), "8 E261 Greet has no docstring: its first line is its summary"),
        (('help="to whom"', 'help=""'), "8 E262 Greet.name needs arg(help=…)"),
        (
            ("name: str", "name: complex"),
            "8 E263 Greet.name has a type that YAML cannot hold: <class 'complex'>",
        ),
        ((" -> None", ""), "8 E265 Greet.run needs a return annotation: it declares the result"),
        (("def run(", "def runn("), "8 E265 Greet has no run method"),
    ],
)
def test_a_module_that_cannot_be_used_is_told_with_its_line(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    text = GREET.replace(*change).replace("from .words import HELLO", 'HELLO = "x"')

    assert refused(tmp_path, text).startswith(told)


def test_an_unknown_name_is_none() -> None:
    assert Registry.built_in().verb("nosuch") is None
