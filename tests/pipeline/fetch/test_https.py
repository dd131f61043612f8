"""What a server may do: no more bytes than there should be, no unsafe address, no false name."""

import itertools
import shutil
import subprocess
import tracemalloc

import pytest

from pipeline.core.errors import ProblemError
from pipeline.fetch import https
from pipeline.fetch.annex import Key
from pipeline.fetch.https import download
from pipeline.fetch.plan import missing_files
from tests.helpers.annexed import key_of
from tests.helpers.server import Server

LARGE = bytes(5_000_000)


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """A server with a certificate that it made itself, and that certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    monkeypatch.setattr(https, "WAIT", 0.01)
    made = tmp_path / "server.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", tmp_path / "key.pem", "-out", made]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    made.write_bytes(made.read_bytes() + (tmp_path / "key.pem").read_bytes())
    server = Server(tls=made)
    yield server, made
    server.shutdown()
    server.server_close()


def test_no_more_is_taken_than_the_key_says(server, tmp_path):
    server.pages["/a.hf5"] = LARGE
    key, came = Key.parse(key_of(b"x" * 10, ".hf5")), []
    with pytest.raises(ProblemError) as caught:
        download(f"{server.url}/a.hf5", tmp_path / "a.hf5", key, came.append)
    assert max(itertools.accumulate(came), default=0) <= 10
    assert "more than the 10 bytes" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_files_of_git_itself_have_a_limit_too(server, tmp_path, monkeypatch):
    monkeypatch.setattr(https, "MAX_IN_GIT", 1000, raising=False)
    server.pages |= {"/large.json": LARGE, "/small.json": b"{}"}
    with pytest.raises(ProblemError, match="more than the 1000 bytes"):
        download(f"{server.url}/large.json", tmp_path / "large.json", None)
    download(f"{server.url}/small.json", tmp_path / "small.json", None)
    assert [path.name for path in tmp_path.iterdir()] == ["small.json"]


def test_what_is_too_large_for_a_pointer_is_not_read_as_one(server, tmp_path):
    server.pages["/a.csv"] = bytes(20_000_000)
    tracemalloc.start()
    try:
        (missing,) = missing_files(tmp_path, [tmp_path / "a.csv"], server.url, server.url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert missing.key is None
    assert peak < 3_000_000


def test_a_server_may_not_send_us_on_to_plain_http(server, tmp_path, monkeypatch):
    monkeypatch.setattr(https, "WAIT", 0.01)
    server.moved["/a.hf5"] = "http://files.invalid/a.hf5"
    with pytest.raises(ProblemError, match=r"on to http://files\.invalid/a\.hf5"):
        download(f"{server.url}/a.hf5", tmp_path / "a.hf5", None)


def test_https_does_not_lead_to_http_even_here(tls, server, tmp_path, monkeypatch):
    safe, certificate = tls
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server.pages["/a.hf5"] = safe.pages["/b.hf5"] = b"content"
    safe.moved |= {"/a.hf5": f"{server.url}/a.hf5", "/c.hf5": "/b.hf5"}
    download(f"{safe.url}/c.hf5", tmp_path / "c.hf5", None)  # within https there is no fault
    assert (tmp_path / "c.hf5").read_bytes() == b"content"
    with pytest.raises(ProblemError):
        download(f"{safe.url}/a.hf5", tmp_path / "a.hf5", None)
    assert not server.asked


def test_a_bad_certificate_is_called_that(tls, tmp_path):
    safe, _ = tls
    safe.pages["/a.hf5"] = b"content"
    with pytest.raises(ProblemError, match="the server's certificate is not accepted"):
        download(f"{safe.url}/a.hf5", tmp_path / "a.hf5", None)
    with pytest.raises(ProblemError, match="the server's certificate is not accepted"):
        missing_files(tmp_path, [tmp_path / "a.hf5"], safe.url, safe.url)
