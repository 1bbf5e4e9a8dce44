"""What every store of files does: a folder in plain Python, and services through OpenDAL."""

from __future__ import annotations

import hashlib
import random
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support import file_servers
from support.context import StepContext

from runner.api import (
    Duration,
    Failed,
    FileStore,
    LabError,
    RecipeFault,
    Secret,
    TargetPath,
    Unreachable,
    Unsupported,
)
from runner.modules.storage.file_copy import FileCopy
from runner.modules.storage.file_get import FileGet
from runner.modules.storage.file_list import FileList
from runner.modules.storage.file_mkdir import FileMkdir
from runner.modules.storage.file_presign import FilePresign
from runner.modules.storage.file_put import FilePut
from runner.modules.storage.file_remove import FileRemove
from runner.modules.storage.file_rename import FileRename
from runner.modules.storage.file_stat import FileStat
from runner.modules.storage.store import Store
from runner.modules.storage.store_info import StoreInfo

CONTENT = random.Random(7).randbytes(9_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KEYS = {"access_key_id": Secret("key"), "secret_access_key": Secret("secret-key")}

Make = Callable[[Path, ExitStack], Store]


def _folder(folder: Path, _: ExitStack) -> Store:
    return Store(scheme="fs", options={"root": str(folder / "store")})


def _memory(_: Path, __: ExitStack) -> Store:
    return Store(scheme="memory")


def s3(folder: Path, stack: ExitStack, **secrets: Secret) -> Store:
    (folder / "bucket").mkdir(parents=True, exist_ok=True)
    port = stack.enter_context(file_servers.serving("s3", folder, "--auth-key", "key,secret-key"))
    options = {"endpoint": f"http://127.0.0.1:{port}", "bucket": "bucket", "region": "us-east-1"}
    return Store(scheme="s3", options=options, secrets={**KEYS, **secrets})


def _webdav(folder: Path, stack: ExitStack) -> Store:
    port = stack.enter_context(file_servers.serving("webdav", folder))
    return Store(scheme="webdav", options={"endpoint": f"http://127.0.0.1:{port}"})


def _ftp(folder: Path, stack: ExitStack) -> Store:
    port = stack.enter_context(file_servers.serving("ftp", folder, "-u", "me", "-P", "pw"))
    options = {"endpoint": f"ftp://127.0.0.1:{port}", "user": "me"}
    return Store(scheme="ftp", options=options, secrets={"password": Secret("pw")})


STORES = [
    pytest.param(_folder, id="fs"),
    pytest.param(_memory, id="memory"),
    pytest.param(s3, id="s3", marks=pytest.mark.peer("rclone")),
    pytest.param(_webdav, id="webdav", marks=pytest.mark.peer("rclone")),
    pytest.param(_ftp, id="ftp"),
]


@pytest.fixture(scope="module", params=STORES)
def every(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileStore]:
    """A store for all tests of this file: each uses a folder of its own."""
    with ExitStack() as stack:
        store = request.param(tmp_path_factory.mktemp("store"), stack)
        store.open()
        stack.callback(store.close)
        yield store


@pytest.fixture
def store(every: FileStore, request: pytest.FixtureRequest) -> FileStore:
    return every


@pytest.fixture
def at(request: pytest.FixtureRequest) -> str:
    """A folder of this test's own."""
    return request.node.originalname[:40]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("source") / "image"
    path.write_bytes(CONTENT)
    return str(path)


def put(store: FileStore, dest: str, **arguments: object) -> object:
    return FilePut(dest=dest, store=store, **arguments).run(StepContext())


def paths(store: FileStore, path: str, **arguments: object) -> list[str]:
    return FileList(path=path, store=store, **arguments).run(StepContext()).paths


def test_what_is_put_is_got_and_known(store: FileStore, image: str, at: str) -> None:
    done = FilePut(src=image, dest=f"{at}/image", store=store, checksum=SHA256).run(StepContext())
    context = StepContext()
    got = FileGet(src=f"/{at}/image", dest=TargetPath("/out"), store=store).run(context)
    stat = FileStat(path=f"{at}/image", checksum_algorithm="md5", store=store).run(StepContext())

    assert (done.size, done.sha256, done.changed) == (len(CONTENT), SHA256, True)
    assert (got.size, got.sha256) == (len(CONTENT), SHA256)
    assert context.artifacts == {"/out": CONTENT}
    assert (stat.exists, stat.is_dir, stat.size) == (True, False, len(CONTENT))
    assert stat.hash == hashlib.md5(CONTENT).hexdigest()


def test_what_is_there_already_is_not_sent_again(store: FileStore, at: str) -> None:
    first = put(store, f"{at}/x", content="abc")
    again = put(store, f"{at}/x", content="abc")
    other = put(store, f"{at}/x", content="abx")

    assert (first.changed, again.changed, other.changed) == (True, False, True)
    assert FileGet(src=f"{at}/x", store=store).run(StepContext()).content == "abx"
    other = put(store, f"{at}/x", content="abcd")

    assert (first.changed, again.changed, other.changed) == (True, False, True)
    assert FileGet(src=f"{at}/x", store=store).run(StepContext()).content == "abcd"


def test_a_part_of_a_file_is_got(store: FileStore, image: str, at: str) -> None:
    put(store, f"{at}/image", src=image, verify=False)
    part = FileGet(src=f"{at}/image", offset=5_000_000, length=100, store=store)
    tail = FileGet(src=f"{at}/image", offset=8_999_990, store=store)

    assert part.run(StepContext()).sha256 == hashlib.sha256(CONTENT[5_000_000:5_000_100]).hexdigest()
    assert tail.run(StepContext()).sha256 == hashlib.sha256(CONTENT[-10:]).hexdigest()
    assert FileGet(src=f"{at}/image", length=10, store=store).run(StepContext()).size == 10
    assert FileGet(src=f"{at}/image", store=store).run(StepContext()).sha256 == SHA256


def test_an_empty_file_is_a_file_or_refused(store: FileStore, at: str) -> None:
    if not StoreInfo(store=store).run(StepContext()).can.get("write_can_empty", True):
        with pytest.raises(Unsupported, match="keeps no empty files"):
            put(store, f"{at}/empty", content="")
        return
    put(store, f"{at}/empty", content="")

    assert FileGet(src=f"{at}/empty", store=store).run(StepContext()).size == 0


def test_a_copy_and_a_new_name_have_the_content(store: FileStore, at: str) -> None:
    put(store, f"{at}/one", content="abc")
    copied = FileCopy(src=f"{at}/one", dest=f"{at}/two", store=store).run(StepContext())
    again = FileCopy(src=f"{at}/one", dest=f"{at}/two", store=store).run(StepContext())
    renamed = FileRename(src=f"{at}/two", dest=f"{at}/three", store=store).run(StepContext())
    done_before = FileRename(src=f"{at}/two", dest=f"{at}/three", store=store).run(StepContext())

    assert [copied.changed, again.changed, renamed.changed, done_before.changed] == [True, False, True, False]
    assert paths(store, at) == [f"{at}/one", f"{at}/three"]
    assert FileGet(src=f"{at}/three", store=store).run(StepContext()).content == "abc"


def test_what_is_there_is_not_replaced_when_that_is_refused(store: FileStore, at: str) -> None:
    put(store, f"{at}/one", content="abc")
    put(store, f"{at}/two", content="def")
    with pytest.raises(Failed, match="already"):
        FileCopy(src=f"{at}/one", dest=f"{at}/two", overwrite=False, store=store).run(StepContext())
    with pytest.raises(Failed, match="already"):
        FileRename(src=f"{at}/one", dest=f"{at}/two", overwrite=False, store=store).run(StepContext())

    assert FileGet(src=f"{at}/two", store=store).run(StepContext()).content == "def"


def test_an_empty_folder_is_made_once(store: FileStore, at: str) -> None:
    if store.info()["scheme"] == "s3":
        return  # rclone makes a file of the object that stands for an empty folder
    made = FileMkdir(path=f"{at}/sub/", store=store).run(StepContext())
    there = FileMkdir(path=f"{at}/sub", store=store).run(StepContext())
    put(store, f"{at}/file", content="x")

    assert (made.changed, there.changed) == (True, False)
    assert FileStat(path=f"{at}/sub/", store=store).run(StepContext()).is_dir
    with pytest.raises(Failed, match="is a file"):
        FileMkdir(path=f"{at}/file", store=store).run(StepContext())


def test_folders_are_listed_and_removed(store: FileStore, at: str) -> None:
    for name in ("a.img", "b.txt", "sub/c.img"):
        put(store, f"{at}/{name}", content=name)
    there = FileMkdir(path=f"{at}/sub", store=store).run(StepContext())
    stat = FileStat(path=f"{at}/sub/", store=store).run(StepContext())

    assert (there.changed, stat.is_dir) == (False, True)
    assert paths(store, at) == [f"{at}/a.img", f"{at}/b.txt", f"{at}/sub/"]
    assert paths(store, at, recurse=True, pattern="*.img") == [f"{at}/a.img", f"{at}/sub/c.img"]
    with pytest.raises(Failed, match="is a folder with files in it"):
        FileRemove(path=f"{at}/sub/", store=store).run(StepContext())
    gone = FileRemove(path=f"{at}/sub/", recurse=True, store=store).run(StepContext())
    nothing = FileRemove(path=f"{at}/sub/", recurse=True, store=store).run(StepContext())
    FileRemove(path=f"{at}/a.img", store=store).run(StepContext())

    assert (gone.changed, nothing.changed) == (True, False)
    assert paths(store, at, recurse=True) == [f"{at}/b.txt"]


def test_what_is_not_there_is_said(store: FileStore, at: str) -> None:
    assert not FileStat(path=f"{at}/x", store=store).run(StepContext()).exists
    for module in (
        FileGet(src=f"{at}/x", store=store),
        FileCopy(src=f"{at}/x", dest=f"{at}/y", store=store),
        FileRename(src=f"{at}/x", dest=f"{at}/y", store=store),
        FileList(path=f"{at}/x", store=store),
    ):
        with pytest.raises(Failed, match=f"{at}/x"):
            module.run(StepContext())


def test_another_checksum_than_was_asked_for_fails(store: FileStore, at: str) -> None:
    with pytest.raises(Failed, match="has the SHA-256 .*, expected 000000000000…"):
        put(store, f"{at}/x", content="abc", checksum="0" * 64)
    put(store, f"{at}/x", content="abc")
    with pytest.raises(Failed, match="has the SHA-256 .*, expected 000000000000…"):
        FileGet(src=f"{at}/x", checksum="0" * 64, store=store).run(StepContext())


@pytest.mark.parametrize("path", ["../x", "a/../../x", "a\0b"])
def test_a_path_that_leads_out_is_refused(store: FileStore, path: str) -> None:
    with pytest.raises(RecipeFault, match="leads out of the store"):
        put(store, path, content="x")


def test_it_says_what_it_can(store: FileStore) -> None:
    told = StoreInfo(store=store).run(StepContext())

    assert told.can["read"]
    assert told.can["write"]
    assert told.can["presign_read"] is (told.scheme == "s3")


def test_what_is_to_be_cleaned_up_is_gone_when_it_is_closed(tmp_path: Path) -> None:
    store = Store(scheme="fs", options={"root": str(tmp_path)})
    store.open()
    put(store, "keep", content="x")
    FileMkdir(path="logs", cleanup=True, store=store).run(StepContext())
    put(store, "logs/one", content="x")
    put(store, "flag", content="x", cleanup=True, mode="600")
    mode = (tmp_path / "flag").stat().st_mode & 0o777
    store.close()

    assert mode == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keep"]


def test_a_link_does_not_lead_out_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")
    store = Store(scheme="fs", options={"root": str(tmp_path)})
    store.open()
    with pytest.raises(RecipeFault, match="leads out of the store"):
        FileGet(src="out/passwd", store=store).run(StepContext())


@pytest.mark.peer("rclone")
def test_a_presigned_request_needs_no_credentials(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = s3(tmp_path, stack)
        store.open()
        put(store, "image", content="abc")
        signed = FilePresign(path="image", expires=Duration("5m"), store=store).run(StepContext())
        with urllib.request.urlopen(signed.url, timeout=30) as answer:
            assert answer.read() == b"abc"
        assert signed.method == "GET"
        look = FilePresign(path="image", op="stat", store=store).run(StepContext())
        with urllib.request.urlopen(
            urllib.request.Request(look.url, method=look.method), timeout=30
        ) as answer:
            assert (look.method, answer.headers["Content-Length"]) == ("HEAD", "3")
        into = FilePresign(path="other", op="write", expires=Duration("5m"), store=store).run(StepContext())
        sending = urllib.request.Request(
            into.url, data=b"xyz", method=into.method, headers=dict(into.headers)
        )
        urllib.request.urlopen(sending, timeout=30).close()
        assert FileGet(src="other", store=store).run(StepContext()).content == "xyz"


def test_a_folder_cannot_presign(tmp_path: Path) -> None:
    store = Store(scheme="fs", options={"root": str(tmp_path)})
    store.open()
    with pytest.raises(Unsupported, match="cannot presign"):
        FilePresign(path="image", store=store).run(StepContext())


@pytest.mark.peer("rclone")
def test_wrong_credentials_are_refused_and_not_shown(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = s3(tmp_path, stack, secret_access_key=Secret("wrong-and-secret"))
        store.open()
        with pytest.raises(LabError, match="cannot write 'x' in the store 's3': ") as refused:
            put(store, "x", content="abc", skip_if_same=False)

    assert "wrong-and-secret" not in f"{refused.value.message} {refused.value.evidence}"


def test_a_store_that_does_not_answer_is_unreachable(tmp_path: Path) -> None:
    store = Store(scheme="webdav", options={"endpoint": "http://127.0.0.1:9"})
    store.open()
    with pytest.raises(Unreachable, match="cannot look at 'x' in the store 'webdav'"):
        FileStat(path="x", store=store).run(StepContext())


@pytest.mark.parametrize(
    ("scheme", "options", "message"),
    [
        ("nosuch", {}, "no store 'nosuch' can be made"),
        ("s3", {"region": "x"}, "no store 's3' can be made"),
    ],
)
def test_a_store_that_cannot_be_is_refused(scheme: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(RecipeFault, match=message):
        Store(scheme=scheme, options=options).open()


def test_what_a_folder_does_not_have_is_told_before_the_run() -> None:
    assert [each.argument for each in Store.misfits({"scheme": "fs", "options": {"rot": "x"}})] == [
        "options.rot",
        "options",
    ]
