from runner.connect.bootstrap import core, payload, the_rest
from runner.connect.needs import source_closure


def test_the_core_is_small_and_holds_none_of_what_can_be_pushed() -> None:
    assert len(payload().data) <= 12 * 1024
    assert "runner.agent.importer" in core()
    assert "runner.agent.service" not in core()


def test_every_payload_has_a_mark_of_its_own_that_the_command_does_not_show() -> None:
    one, two = payload(), payload()
    assert one.mark != two.mark
    assert one.mark.decode().strip() not in one.command("python3")


def test_a_python_in_the_home_of_who_logs_in_is_meant_there() -> None:
    assert payload().command("~/my tools/python").startswith("exec \"$HOME\"/'my tools/python' -I -c '")
    assert payload().command("/opt/py thon").startswith("exec '/opt/py thon' -I -c '")


def test_the_rest_is_what_the_classes_import_and_no_more() -> None:
    rest = the_rest(("runner.modules.power.mock:Mock",), {})
    assert "runner.modules.power.mock" in rest
    assert "runner.agent.locks" in rest
    modules = {each for each in rest if each.startswith("runner.modules")}
    assert modules == {"runner.modules", "runner.modules.power", "runner.modules.power.mock"}
    assert not set(rest) & set(core())


def test_imports_within_functions_and_in_packages_are_followed() -> None:
    own = {
        "lab": ("/lab/__init__.py", "from . import plug\n"),
        "lab.plug": ("/lab/plug.py", "def open():\n    from lab.wire import send\n"),
        "lab.wire": (
            "/lab/wire.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lab.never\n",
        ),
        "lab.never": ("/lab/never.py", ""),
    }
    assert sorted(source_closure(["lab.plug"], own)) == ["lab", "lab.plug", "lab.wire"]
    assert sorted(source_closure(["lab.plug"], own, lazy=False)) == ["lab", "lab.plug"]


def test_a_library_comes_whole_with_what_it_requires() -> None:
    own = {"lab": ("/lab.py", "def open():\n    import can, no_such_library, json\n")}
    found = source_closure(["lab"], own)
    assert "can.interfaces.socketcan.socketcan" in found
    assert {name.partition(".")[0] for name in found} >= {"lab", "can", "wrapt", "packaging"}
    assert not {"json", "no_such_library"} & set(found)
