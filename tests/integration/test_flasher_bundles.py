"""Flasher bundles: read, packed from folders, and pulled from a registry."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from support.context import StepContext
from support.registry import registry

from runner.api import FilePath, LabError, RecipeFault, Secret, TargetPath, Unreachable
from runner.modules.flasher.bundle import opened
from runner.modules.flasher.bundle_pull import BundlePull
from runner.modules.flasher.flash_network import FlashNetwork
from runner.modules.flasher.flasher_info import FlasherInfo
from runner.modules.flasher.manifest import variant_of

MANIFEST = """
apiVersion: jumpstarter.dev/v1alpha1
kind: FlashBundleManifest
metadata: {name: board}
spec:
  manufacturer: Somebody
  bootcmd: booti 0x82000000 - 0x84000000
  shelltype: busybox
  login: {login_prompt: "login:", username: root}
  default_target: usd
  targets: {usd: "/sys/class/block#4fb0000", emmc: /dev/mmcblk0}
  kernel: {file: data/kernel.img, address: 0x82000000}
  dtb:
    default: one
    address: "0x84000000"
    variants: {one: data/one.dtb, two: {file: data/two.dtb, bootcmd: booti two}}
  preflash_commands: [mount -t tmpfs none /tmp]
  colour: red
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bundle"
    (made / "data").mkdir(parents=True)
    (made / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
    for name in ("kernel.img", "one.dtb", "two.dtb"):
        (made / "data" / name).write_bytes(name.encode() * 1000)
    return made


def pulled(tmp_path: Path, **arguments: object) -> tuple[Path, Any]:
    """Run bundle_pull; return the archive that it keeps, and the result."""
    context = StepContext()
    target = tmp_path / "out.tar"
    result = BundlePull(dest=TargetPath(str(target)), **arguments).run(context)
    if str(target) in context.artifacts:
        target.write_bytes(context.artifacts[str(target)])
    return target, result


def test_a_folder_becomes_the_same_archive_each_time(folder: Path, tmp_path: Path) -> None:
    archive, first = pulled(tmp_path, folder=str(folder))
    content = archive.read_bytes()
    os.utime(folder / "data" / "kernel.img", (1, 1))
    os.utime(archive, (1, 1))
    _, second = pulled(tmp_path, folder=str(folder))

    assert archive.stat().st_mtime == 1

    assert (first.changed, second.changed) == (True, False)
    assert first.sha256 == second.sha256 == hashlib.sha256(content).hexdigest()
    assert first.files == ["data/kernel.img", "data/one.dtb", "data/two.dtb", "manifest.yaml"]


def test_a_bundle_says_what_is_in_it(folder: Path, tmp_path: Path) -> None:
    archive, _ = pulled(tmp_path, folder=str(folder))
    context = StepContext()
    info = FlasherInfo(bundle=str(archive)).run(context)

    assert (info.name, info.kernel, info.kernel_address) == ("board", "data/kernel.img", "82000000")
    assert (info.dtb_address, info.initram, info.user) == ("84000000", None, "root")
    assert (info.bootcmd, info.default_target) == ("booti 0x82000000 - 0x84000000", "usd")
    assert info.targets == {"usd": "/sys/class/block#4fb0000", "emmc": "/dev/mmcblk0"}
    assert info.variants == {"one": "data/one.dtb", "two": "data/two.dtb"}
    assert context.said == [("warning", "the manifest has what means nothing here: colour")]


def test_the_files_of_a_bundle_are_there_while_it_is_open(folder: Path, tmp_path: Path) -> None:
    archive, _ = pulled(tmp_path, folder=str(folder))
    with opened(str(archive)) as bundle:
        kernel = bundle.file(bundle.manifest.kernel.file)

        assert kernel.read_bytes() == b"kernel.img" * 1000
        with pytest.raises(RecipeFault, match="the bundle out.tar has no file 'data/other'"):
            bundle.file("data/other")
    assert not kernel.exists()


def test_another_device_tree_brings_its_own_command(folder: Path) -> None:
    with opened(str(folder / "manifest.yaml")) as bundle:
        usual, two = variant_of(bundle.manifest, ""), variant_of(bundle.manifest, "two")

        assert usual is not None
        assert two is not None
        assert (usual.file, usual.bootcmd, two.bootcmd) == ("data/one.dtb", "", "booti two")
        devices: dict[str, Any] = dict.fromkeys(("console", "supply", "tftp", "http"))
        flash = FlashNetwork(bundle=FilePath(folder), dtb_variant="three", **devices)
        with pytest.raises(RecipeFault, match="has no device tree 'three'") as fault:
            flash.parts(bundle)
        assert fault.value.hint == "it has one, two"
        with pytest.raises(RecipeFault, match="is a manifest alone, without 'x'"):
            bundle.file("x")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: FlashBundleManifest", "kind: Other", "kind is 'Other', expected 'FlashBundleManifest'"),
        ("  bootcmd: booti 0x82000000 - 0x84000000\n", "", "spec.bootcmd is missing"),
        (", address: 0x82000000}", "}", "spec.kernel.address is missing"),
        ("targets: {", "targets: [{", "is neither a manifest in YAML nor a tar archive"),
        ("metadata: {name: board}", "metadata: board", "metadata is no mapping"),
    ],
)
def test_a_manifest_that_lacks_something_is_refused_with_the_place(
    folder: Path, old: str, new: str, message: str
) -> None:
    path = folder / "manifest.yaml"
    path.write_text(MANIFEST.replace(old, new), encoding="utf-8")
    with pytest.raises(RecipeFault, match=message), opened(str(path)):
        pass


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeFault, match="no files in"):
        pulled(tmp_path, folder=str(tmp_path / "empty"))
    (tmp_path / "empty" / "x").touch()
    with pytest.raises(RecipeFault, match=r"the bundle bundle.tar has no file 'manifest.yaml'"):
        pulled(tmp_path, folder=str(tmp_path / "empty"))


LOGIN = {"user": "me", "password": Secret("pw"), "plain_http": True}


def test_an_artifact_of_a_registry_is_the_same_bundle(folder: Path, tmp_path: Path) -> None:
    _, local = pulled(tmp_path, folder=str(folder))
    with registry(folder) as name:
        archive, remote = pulled(tmp_path, ref=f"{name}:2.1", **LOGIN)

    assert remote.sha256 == local.sha256
    assert remote.digest.startswith("sha256:")
    with tarfile.open(archive) as packed:
        assert "data/one.dtb" in packed.getnames()


def test_what_a_registry_refuses_or_damages_is_said(folder: Path, tmp_path: Path) -> None:
    with registry(folder) as name:
        with pytest.raises(RecipeFault, match="the registry does not have .*/manifests/3"):
            pulled(tmp_path, ref=f"{name}:3", **LOGIN)
        with pytest.raises(LabError, match="the registry answers 403 Forbidden"):
            pulled(tmp_path, ref=f"{name}:2.1", plain_http=True)
    with pytest.raises(Unreachable, match="Connection refused"):
        pulled(tmp_path, ref=f"{name}:2.1", **LOGIN)
    with (
        registry(folder, damaged=True) as name,
        pytest.raises(LabError, match="did not arrive as the registry"),
    ):
        pulled(tmp_path, ref=f"{name}:2.1", **LOGIN)
    with pytest.raises(RecipeFault, match="'board' is no reference"):
        pulled(tmp_path, ref="board", **LOGIN)
