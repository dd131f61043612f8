"""Alignment, encoder and fuzzy induction, each against doing it the slow way."""

import functools
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gim._kernels.soft import TIE
from gim.encoder.encoder import Encoder, EncoderConfig
from gim.encoder.stream import encode_tree
from gim.errors import InputError
from gim.induction.fuzzy import EncoderMetric, FuzzyInduction, Recent
from gim.scores import rank
from gim.text.align import Segmenter, build_tree
from gim.text.tokenizer import load_tokenizer

SMALL = {"width": 32, "heads": 2, "dim": 16}

words = st.sampled_from(
    ["the", "'l", "l", " running",
     " runner", "n't", "'re", "'", " ", "  ", "\n", "\n\n ", "\t", " 12", "34",
     "!?", " (", "naïve", " 漢字", "漢", "😀", " Induction", "al", "\u00a0", "x"]
)  # fmt: skip
texts = st.lists(words, max_size=25).map("".join)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return small_encoder()


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer()


@functools.cache
def small_encoder() -> Encoder:
    return Encoder.create(seed=1, **SMALL).eval()


@settings(max_examples=300, deadline=None)
@given(texts)
def test_tree_holds_the_tokens_of_every_prefix(text):
    segmenter = small_encoder().segmenter
    tokenizer = segmenter.tokenizer
    tree = build_tree(text, range(len(text) + 1), segmenter)
    for end, node in enumerate(tree.node_at.tolist()):
        line = []
        while node >= 0:
            line.append(int(tree.ids[node]))
            node = int(tree.parent[node])
        assert line[::-1] == tokenizer.encode(text[:end]).tolist()


@settings(max_examples=25, deadline=None)
@given(texts, texts)
def test_vectors_are_those_of_re_encoded_windows(before, text):
    """Known error: the context was reset every 64 words. Every position has its last 64 tokens.

    Aligned, chunked and incremental vectors equal those of each prefix's end, encoded anew.
    """
    encoder = small_encoder()
    text = (before + " and so on") * 4 + text
    ends = np.arange(0, len(text) + 1, 3)
    vectors = encoder.vectors(text, ends)
    windows = [encoder.tokenizer.encode(text[:end])[-64:] for end in ends]
    for vector, window in zip(vectors, windows, strict=True):
        if len(window):
            expected = encoder(torch.from_numpy(window)[None])[0, -1].detach().numpy()
        else:
            expected = np.zeros(16)
        assert np.abs(vector - expected).max() < 1e-5


@settings(max_examples=8, deadline=None)
@given(st.lists(words, min_size=60, max_size=120), st.randoms(use_true_random=False))
def test_streaming_in_any_pieces_gives_the_same_vectors(parts, random):
    encoder, text = small_encoder(), "".join(parts)
    ends = np.arange(1, len(text) + 1)
    whole = encoder.vectors(text, ends)
    cuts = sorted({0, len(text), *random.sample(range(len(text)), len(text) // 2)})
    stream, found = encoder.stream(), []
    for a, b in pairwise(cuts):
        found.append(stream.push(list(text[a:b])))
        solid = [w for w in stream._text.split() if w.strip()]
        assert len(solid) < 40  # flat memory: white space and the last words
    assert np.abs(np.concatenate(found) - whole).max() < 1e-5


def test_streams_keep_a_few_words_only(encoder):
    stream = encoder.stream()
    for _ in range(300):
        stream.push(["the cat's", " on", " the mat. "])
        assert len(stream._text) < 30 and len(stream._past[0]) <= encoder.config.window - 1


@pytest.mark.parametrize("line", [1, 3, 50, 90])
def test_the_ways_of_attending_agree(line):
    """Sequences of training; a line in pieces, each after the past of the one before; a branch."""
    encoder = Encoder.create(width=16, heads=2, layers=3, window=7, dim=8, seed=1)
    with torch.no_grad():
        for block in encoder.blocks:
            block.bias.normal_()
            block.distance.normal_()
        ids = torch.randint(0, 1000, (90,))
        whole, past, parts = encoder(ids[None])[0], encoder.start(), []
        none = torch.empty(0, 7, dtype=torch.long)
        for piece in ids[:line].split(37):
            vectors, memory = encoder.grow(piece, none, past)
            parts.append(vectors)
            past = [rows[-6:] for rows in memory]
        if line < 90:  # one more token of the line, the rest hangs on it
            rows = len(past[0]) + 1 + torch.arange(89 - line)[:, None] - torch.arange(7)
            parts.append(encoder.grow(ids[line:], rows.clamp(min=-1), past)[0])
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("chunk", [1, 17, 40])
def test_chunks_do_not_change_vectors(encoder, chunk):
    text = "a word and another one, 漢字; naïve runners' " * 12
    tree = build_tree(text, np.arange(1, len(text)), encoder.segmenter)
    settled = tree.n_trunk - 4
    one, past = encode_tree(encoder, tree, encoder.start(), settled)
    other, same = encode_tree(encoder, tree, encoder.start(), settled, chunk)
    assert np.abs(one - other).max() < 1e-5
    for a, b in zip(past, same, strict=True):
        assert a.shape == b.shape and (a - b).abs().max() < 1e-5


def test_receptive_field_is_what_the_shape_says(encoder):
    seen = encoder.config.receptive
    ids = torch.randint(0, 1000, (1, 100), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[0, 100 - seen - 1] += 1
    with torch.inference_mode():
        assert torch.equal(encoder(ids)[0, -1], encoder(changed)[0, -1])
        changed[0, 100 - seen] += 1
        assert not torch.equal(encoder(ids)[0, -1], encoder(changed)[0, -1])
    with pytest.raises(InputError, match="at most 256"):
        EncoderConfig(100, layers=13, window=22)


def test_states_are_foretold_where_they_were_taught_and_refused_elsewhere(encoder):
    taught = Encoder.create(width=16, heads=2, layers=2, window=8, dim=8, state_dim=5)
    text, ends = "the key opens the door", [3, 7, 22]
    found = taught.vectors(text, ends, "states")
    ids = torch.from_numpy(taught.tokenizer.encode(text))[None]
    with torch.inference_mode():
        wanted = taught.foretell(taught.trunk(ids))[0, -1].numpy()
    np.testing.assert_allclose(found[-1], wanted, atol=1e-5)
    assert found.shape == (3, 5)
    with pytest.raises(InputError, match="foretells no states"):
        encoder.vectors(text, ends, "states")


def test_encoder_is_causal(encoder):
    ids = torch.randint(0, 1000, (2, 30), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(encoder(ids)[:, :20], encoder(ids[:, :20]), atol=1e-6)


def test_save_and_load_give_the_same_vectors(encoder, tmp_path):
    encoder.save_pretrained(tmp_path / "encoder")
    names = sorted(p.name for p in (tmp_path / "encoder").iterdir())
    assert names == [".made-by-gim", "config.json", "model.safetensors", "tokenizer.json"]
    loaded = Encoder.from_pretrained(tmp_path / "encoder")
    assert np.array_equal(loaded.vectors("to be or not", [5]), encoder.vectors("to be or not", [5]))
    half = Encoder.from_pretrained(tmp_path / "encoder", dtype=torch.bfloat16)
    cosine = half.vectors("to be or", [8])[0] @ encoder.vectors("to be or", [8])[0]
    assert 0.98 < cosine < 1.01
    (tmp_path / "encoder/model.safetensors").write_bytes(b"short")
    with pytest.raises(InputError, match="damaged"):
        Encoder.from_pretrained(tmp_path / "encoder")
    (tmp_path / "encoder/config.json").unlink()
    with pytest.raises(InputError, match=r"config\.json: missing"):
        Encoder.from_pretrained(tmp_path / "encoder")


def brute_counts(encoder, tokenizer, ids, window):
    """Soft counts at the end of ``ids``: every prefix encoded anew, every candidate in turn."""
    text, ends = tokenizer.text_and_ends(ids)
    vectors = []
    for end in ends:
        tokens = encoder.tokenizer.encode(text[:end])[-64:]
        vector = encoder(torch.from_numpy(tokens)[None])[0, -1] if len(tokens) else torch.zeros(16)
        vectors.append(vector.detach().numpy())
    counts: dict[int, float] = {}
    for i in range(max(0, len(ids) - window), len(ids) - 1):
        weight = np.exp(-(1 - vectors[i] @ vectors[-1]) / 0.1)
        counts[int(ids[i + 1])] = counts.get(int(ids[i + 1]), 0) + weight
    return counts or {int(ids[-1]): 1.0}


@pytest.mark.parametrize("window", [1, 2, 9, 500])
def test_counts_agree_with_brute_force(encoder, window):
    """The language model has another tokenizer than the encoder: here, bytes."""
    table = [bytes([i]) for i in range(256)]
    from gim.text.tokenizer import Tokenizer

    tokenizer = Tokenizer("bytes", lambda text: list(text.encode()), table)
    ids = tokenizer.encode("the cat, the café, the catalogue. the c")
    fuzzy = FuzzyInduction(encoder, tokenizer, window)
    for t, token in enumerate(ids):
        fuzzy.push(token)
        expected = brute_counts(encoder, tokenizer, ids[: t + 1], window)
        found, sums = fuzzy.counts()
        assert set(found.tolist()) == set(expected)
        assert sums == pytest.approx([expected[i] for i in found.tolist()], rel=1e-4)


@pytest.mark.parametrize("window", [1, 2, 40, 300])
def test_scores_are_those_of_single_steps(encoder, tokenizer, window, rng):
    ids = np.concatenate([rng.integers(0, 50, 300), np.arange(40), rng.integers(0, 9, 280)])
    targets = np.append(ids[1:], 7)
    targets[100:120] = -1
    whole = FuzzyInduction(encoder, tokenizer, window).score(ids, targets)
    steps = FuzzyInduction(encoder, tokenizer, window)
    for t, token in enumerate(ids):
        steps.push(token)
        if targets[t] < 0:
            assert whole.top[t] == -1
            continue
        top, p, greater, equal = rank(*steps.counts(), targets[t], TIE)
        assert (top, greater, equal) == (whole.top[t], whole.greater[t], whole.equal[t])
        assert p == pytest.approx(whole.p_next[t], rel=1e-4)


def test_votes_point_at_what_followed(encoder, tokenizer):
    ids = tokenizer.encode("one two three, one two four, one two")
    fuzzy = FuzzyInduction(encoder, tokenizer, 6)
    fuzzy.extend(ids)
    positions, weights = fuzzy.votes()
    assert positions.tolist() == list(range(len(ids) - 5, len(ids)))
    found, sums = fuzzy.counts()
    by_token = {int(i): weights[ids[positions] == i].sum() for i in found}
    assert sums == pytest.approx([by_token[int(i)] for i in found])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 7), max_size=30), st.integers(1, 6))
def test_recent_keeps_the_last_rows(sizes, window):
    recent, all_rows = Recent(window), np.empty(0, np.int64)
    recent.append(all_rows)
    for size in sizes:
        new = np.arange(len(all_rows), len(all_rows) + size)
        view = recent.append(new)
        old = all_rows[-window:]
        all_rows = np.append(all_rows, new)
        assert view.tolist() == [*old, *new]
        assert recent.rows.tolist() == all_rows[-window:].tolist()


def test_unsuitable_tokenizers_are_refused():
    from tests.gim.conftest import number_tokenizer

    with pytest.raises(InputError, match="byte-level"):
        Segmenter(number_tokenizer(5))


def test_a_metric_is_taken_as_it_is(encoder, tokenizer):
    one, two = FuzzyInduction(encoder, tokenizer), FuzzyInduction(EncoderMetric(encoder), tokenizer)
    for fuzzy in (one, two):
        fuzzy.extend([5, 6, 5])
    assert one.counts()[1].tolist() == two.counts()[1].tolist()


def test_exact_induction_starts_without_torch():
    code = "import sys, gim, gim.induction.exact; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_long_texts_are_scored_to_their_end(encoder, tokenizer, rng):
    """Known error: texts beyond a fixed length were cut silently. Sections change nothing."""
    ids = rng.integers(300, 420, 8500)  # more than one section
    targets = np.append(ids[1:], 5)
    whole = FuzzyInduction(encoder, tokenizer, 50).score(ids, targets)
    pieces = FuzzyInduction(encoder, tokenizer, 50)
    parts = [pieces.score(ids[cut], targets[cut]) for cut in (slice(0, 3001), slice(3001, None))]
    assert len(whole) == len(ids) == pieces.n_seen
    assert (whole.top >= 0).all()
    together = np.concatenate([p.p_next for p in parts])
    assert whole.p_next == pytest.approx(together, rel=1e-4, abs=1e-7)
