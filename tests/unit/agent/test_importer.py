import sys
import traceback
from collections.abc import Iterator

import pytest

from runner.agent.classes import class_at
from runner.agent.importer import PushedSources
from runner.api import LabError

SOURCE = "class Broken:\n    def go(self):\n        raise ValueError('boom')\n"


@pytest.fixture
def pushed() -> Iterator[PushedSources]:
    sources = PushedSources()
    before = set(sys.modules)
    sys.meta_path.insert(0, sources)
    class_at.cache_clear()
    yield sources
    sys.meta_path.remove(sources)
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_pushed_module_is_imported_with_packages_that_have_no_source(pushed: PushedSources) -> None:
    pushed.add({"lab_of_a_user.power.plug": ("/nowhere/plug.py", SOURCE)})
    assert class_at("lab_of_a_user.power.plug:Broken").__module__ == "lab_of_a_user.power.plug"
    assert sys.modules["lab_of_a_user.power.plug"].__file__ == "/nowhere/plug.py"


def test_pushed_modules_import_each_other_also_relatively(pushed: PushedSources) -> None:
    pushed.add(
        {
            "lab_of_a_user.a": ("/nowhere/a.py", "from .b import B\nclass A(B): pass\n"),
            "lab_of_a_user.b": ("/nowhere/b.py", "class B: pass\n"),
            "lab_of_a_user": ("/nowhere/__init__.py", "WORD = 'hello'\n"),
        }
    )
    assert class_at("lab_of_a_user.a:A").__mro__[1].__module__ == "lab_of_a_user.b"
    assert sys.modules["lab_of_a_user"].WORD == "hello"


def test_a_traceback_shows_the_file_and_the_line_that_was_pushed(pushed: PushedSources) -> None:
    pushed.add({"lab_of_a_user.plug": ("/nowhere/plug.py", SOURCE)})
    with pytest.raises(ValueError, match="boom") as caught:
        class_at("lab_of_a_user.plug:Broken")().go()
    text = "".join(traceback.format_exception(caught.value))
    assert "File \"/nowhere/plug.py\", line 3, in go\n    raise ValueError('boom')\n" in text


def test_packages_that_exist_are_not_covered_up(pushed: PushedSources) -> None:
    pushed.add({"json.lab_plug": ("/nowhere/plug.py", SOURCE)})
    assert pushed.find_spec("json") is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_such_package.x:Y", "no Python module 'no_such_package' beside the hardware"),
        ("runner.api.values:Nothing", "no class 'Nothing' in runner.api.values"),
        ("runner.api.values:math", "is not a class"),
    ],
)
def test_a_class_that_is_not_there_is_the_labs_fault(path: str, message: str) -> None:
    with pytest.raises(LabError, match=message):
        class_at(path)
