"""Keys of every kind that git-annex has: checked, or refused by name."""

import hashlib

import pytest

from pipeline.core.errors import ProblemError
from pipeline.fetch.annex import Key
from pipeline.fetch.fetch import fetch
from tests.helpers.annexed import HF5, link_of

CHECKED = {
    **{name: name.lower() for name in ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")},
    **{f"SHA3_{bits}": f"sha3_{bits}" for bits in (224, 256, 384, 512)},
}
BLAKE2 = [("BLAKE2B", n) for n in (160, 224, 256, 384, 512)] + [
    ("BLAKE2S", n) for n in (160, 224, 256)
]
REFUSED = {
    "WORM": "WORM-s7-m1--two.hf5",
    "URL": "URL-s7--http&c%%a.org%two.hf5",
    "VURL": "VURL--http&c%%a.org%two.hf5",
    "SKEIN256": f"SKEIN256-s7--{'0' * 64}",
    "BLAKE2BP512": f"BLAKE2BP512E-s7--{'0' * 128}.hf5",
    "XXH3": f"XXH3E-s7--{'0' * 16}.hf5",
    "XMINE": "XMINE-s7--0",
    "how large": f"SHA256E--{'0' * 64}.hf5",
}


def digests():
    yield from ((kind, hashlib.new(name, b"content")) for kind, name in CHECKED.items())
    for kind, bits in BLAKE2:
        yield f"{kind}{bits}", getattr(hashlib, kind.lower())(b"content", digest_size=bits // 8)


@pytest.mark.parametrize(("kind", "digest"), [*digests()], ids=[kind for kind, _ in digests()])
def test_content_is_compared_with_the_checksum(kind, digest, tmp_path):
    for name in (f"{kind}-s7--{digest.hexdigest()}", f"{kind}E-s7--{digest.hexdigest()}.hf5"):
        key = Key.parse(name)
        for content, fits in ((b"content", True), (b"another", False), (b"longer one", False)):
            (tmp_path / "file").write_bytes(content)
            assert key.fits(tmp_path / "file") is fits


@pytest.mark.parametrize(("name", "key"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_checked_is_not_fetched(config, server, name, key):
    server.pages[f"/pointers/{HF5}"] = link_of(HF5, key).encode()
    with pytest.raises(ProblemError) as caught:
        fetch(config)
    assert not any(path.startswith("/files/") for path in server.asked)
    (problem,) = caught.value.problems
    assert name in problem.what
    assert "two.hf5" in str(problem.file)


def test_a_file_with_such_a_key_that_is_there_is_taken(config, source, server, tmp_path):
    content = (source / HF5).read_bytes()
    key = f"WORM-s{len(content)}-m1--two.hf5"
    server.pages[f"/pointers/{HF5}"] = link_of(HF5, key).encode()
    (tmp_path / "data" / HF5).parent.mkdir(parents=True)
    (tmp_path / "data" / HF5).write_bytes(content)
    fetch(config)
    assert not server.asked[f"/files/{HF5}"]
