"""A dataset on a server of this machine, and a configuration that fetches from it."""

import pytest

from pipeline.fetch import https
from tests.helpers.annexed import IN_GIT, STORIES, SUBJECT, key_of, link_of
from tests.helpers.datasets import make_config, write_dataset
from tests.helpers.server import Server


@pytest.fixture
def server():
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def source(tmp_path, server, monkeypatch):
    """A dataset on the server: contents as on OpenNeuro's S3, pointers as on GitHub."""
    monkeypatch.setattr(https, "WAIT", 0.01)
    write_dataset(tmp_path / "source", [*STORIES, "unwanted"], [SUBJECT, "S2"])
    for path in (tmp_path / "source").rglob("*"):
        if path.is_file():
            name, content = path.relative_to(tmp_path / "source").as_posix(), path.read_bytes()
            backend = "SHA256E" if path.suffix == ".TextGrid" else "MD5E"
            server.pages[f"/files/{name}"] = content
            pointer = link_of(name, key_of(content, path.suffix, backend)).encode()
            server.pages[f"/pointers/{name}"] = content if name in IN_GIT else pointer
    return tmp_path / "source"


@pytest.fixture
def fetch_options(server):
    """`fetch` of a configuration."""
    return {"files": f"{server.url}/files", "pointers": f"{server.url}/pointers/"}


@pytest.fixture
def config(tmp_path, source, fetch_options):
    return make_config(tmp_path / "data", STORIES, {SUBJECT: None}, fetch=fetch_options)
