"""Parts of training: data, losses against references, what a student begins with."""

import json
import os
import shutil
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from gim.causal.model import load_causal
from gim.causal.teacher import TeacherMetric
from gim.encoder.encoder import Encoder
from gim.errors import InputError
from gim.text.tokenizer import load_tokenizer
from gim.training.distill import initial_embeddings, take_weights
from gim.training.loop import learning_rate
from gim.training.losses import distillation_losses, induction_loss
from gim.training.pretrain import LinearCrossEntropy
from gim.training.settings import Data, Optimisation, Weights
from gim.training.teacher import Teacher, distances
from gim.training.tokens import cache_key, plain, token_files

# Data


def test_plain_text_looks_like_a_transcript():
    assert plain("Don't -- “stop”,\n  SHE_said.") == "don't stop she said"


def test_tokens_are_split_and_half_of_the_documents_are_plain(folder, corpus, small):
    tokenizer = small
    files = token_files(Data(**folder["data"]), tokenizer, seed=0)
    text = tokenizer.decode(files["train"].ids)
    documents = text.strip("\n").split("\n\n")
    assert len(documents) == 54 and len(tokenizer.decode(files["validation"].ids)) > 0
    lower = [document for document in documents if document == plain(document)]
    assert 15 < len(lower) < 40
    whole = [json.loads(line)["text"] for line in corpus.open()]
    assert set(documents) - set(lower) <= set(whole)
    held_out = tokenizer.decode(files["validation"].ids).strip("\n").split("\n\n")
    assert [plain(d) for d in held_out] == [plain(whole[i]) for i in range(9, 60, 10)]


def test_tokens_are_known_by_the_text_not_by_its_files_name_or_age(folder, corpus, small):
    data = Data(**folder["data"])
    first = cache_key(data, small, seed=0)
    os.utime(corpus, (0, 0))
    moved = corpus.with_name(f"moved-{corpus.name}")
    shutil.copy(corpus, moved)
    assert cache_key(data, small, seed=0) == first
    assert cache_key(replace(data, corpora=[str(moved)]), small, seed=0) == first
    with moved.open("a") as file:
        file.write('{"text": "One more."}\n')
    assert cache_key(replace(data, corpora=[str(moved)]), small, seed=0) != first


def test_batches_depend_on_number_and_seed_alone(folder, small):
    ids = token_files(Data(**folder["data"]), small, seed=0)["train"]
    assert np.array_equal(ids.batch(5, 3, 20, seed=1), ids.batch(5, 3, 20, seed=1))
    assert not np.array_equal(ids.batch(5, 3, 20, seed=1), ids.batch(6, 3, 20, seed=1))
    assert not np.array_equal(ids.batch(5, 3, 20, seed=1), ids.batch(5, 3, 20, seed=2))


def test_sequences_drawn_together_follow_one_another(folder, small):
    ids = token_files(Data(**folder["data"]), small, seed=0)["train"]
    batch = ids.batch(5, 5, 20, seed=1, together=3)
    assert batch.shape == (5, 21)
    text = " ".join(map(str, ids.ids))
    for group in (batch[:3], batch[3:]):
        line = [*group[:, :-1].ravel(), group[-1, -1]]
        assert " ".join(map(str, line)) in text


# Losses


def test_linear_cross_entropy_equals_pytorch():
    torch.manual_seed(0)
    hidden = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(11, 5, dtype=torch.float64, requires_grad=True)
    goal = torch.randint(0, 11, (7,))
    torch.nn.functional.cross_entropy(hidden @ weight.T, goal).backward()
    wanted = hidden.grad.clone(), weight.grad.clone()
    hidden.grad = weight.grad = None
    loss = LinearCrossEntropy.apply(hidden, weight, goal, 3)
    loss.backward()
    assert loss.item() == pytest.approx(
        torch.nn.functional.cross_entropy(hidden @ weight.T, goal).item(), abs=1e-6
    )
    torch.testing.assert_close(hidden.grad, wanted[0])
    torch.testing.assert_close(weight.grad, wanted[1])


def test_losses_against_plain_definitions():
    rng = np.random.default_rng(0)
    student, teacher = rng.normal(size=(4, 6)), rng.normal(size=(4, 6))
    found = distillation_losses(
        torch.tensor(student),
        torch.tensor(teacher),
        torch.tensor(0.7),
        Weights(nearest=2.0, reverse_kl=0.5, induction=3.0, states=4.0),
        (torch.tensor(student), torch.tensor(student + 0.5)),
    )
    s = np.exp(student) / np.exp(student).sum(1, keepdims=True)
    t = np.exp(teacher) / np.exp(teacher).sum(1, keepdims=True)
    nearest = np.mean([-np.log(s[i, t[i].argmax()]) for i in range(4)])
    reverse = np.mean([sum(s[i] * np.log(s[i] / t[i])) for i in range(4)])
    assert found["nearest"].item() == pytest.approx(nearest)
    assert found["reverse_kl"].item() == pytest.approx(reverse)
    assert found["states"].item() == pytest.approx(0.25)
    assert found["loss"].item() == pytest.approx(2 * nearest + 0.5 * reverse + 3 * 0.7 + 1)


def test_induction_loss_is_that_of_fuzzy_induction_within_each_text():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2, 9, 5))
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    following = np.array([[0, 1, 2, 0, 1, 2, 3, 0, 0], [4, 4, 5, 6, 7, 8, 9, 3, 2]])
    surprise = []
    for text, after in zip(vectors, following, strict=True):
        for i in range(9):
            votes = np.exp((text[:i] @ text[i] - 1) / 0.1)
            right = votes[after[:i] == after[i]].sum()
            if right:
                surprise.append(-np.log(right / votes.sum()))
    assert len(surprise) == 6  # of the second text, one position asks a token that came before
    found = induction_loss(torch.tensor(vectors), torch.tensor(following), 0.1)
    assert found.item() == pytest.approx(np.mean(surprise))


def test_nothing_that_came_before_gives_no_induction_loss():
    vectors = torch.ones(1, 3, 2, requires_grad=True)
    induction_loss(vectors, torch.tensor([[1, 2, 3]]), 0.1).backward()
    assert (vectors.grad == 0).all()


@pytest.mark.parametrize("kind", ["symmetric_kl", "jsd"])
def test_teacher_distances_equal_the_metric_in_chunks(teacher, small, kind):
    tokenizer = small
    wrapped = Teacher(load_causal(teacher), tokenizer, tokenizer)
    states = 20 * torch.randn(9, 16)
    found = distances(wrapped.head, states[:4], states[4:], kind, chunk=2)
    log_probs = wrapped.head.log_probs(states).numpy()
    metric = TeacherMetric(wrapped.model, tokenizer, kind, temperature=1.0)
    similarity = metric.similarity(log_probs[:4], log_probs[4:])
    np.testing.assert_allclose(torch.exp(-found), similarity, atol=1e-4)
    assert similarity.max() - similarity.min() > 0.1


def test_initial_embeddings_keep_the_geometry(teacher, small):
    model = load_causal(teacher)
    wrapped = Teacher(model, small, small)
    weight = model.get_input_embeddings().weight.detach()
    wide = initial_embeddings(wrapped, 24)
    centred = (weight - weight.mean(0))[:50]
    wanted = torch.nn.functional.normalize(centred) @ torch.nn.functional.normalize(centred).T
    found = torch.nn.functional.normalize(wide[:50]) @ torch.nn.functional.normalize(wide[:50]).T
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)
    assert initial_embeddings(wrapped, 8).shape == (len(weight), 8)


def test_a_token_begins_as_the_mean_of_what_the_teacher_splits_it_into(teacher, small):
    model, student = load_causal(teacher), load_tokenizer()
    start = initial_embeddings(Teacher(model, small, student), 16)
    assert start.shape == (student.vocab_size, 16)
    tokens = student.encode("keys open doors").tolist()
    weight = model.get_input_embeddings().weight.detach()
    means = torch.stack([weight[small.encode(student.decode([t]))].mean(0) for t in tokens])
    apart = torch.cdist(means, means)  # all components are kept, but for rotation and scale
    ratio = torch.cdist(start[tokens], start[tokens])[apart > 0] / apart[apart > 0]
    assert len(ratio) and ratio.std() < 1e-3 * ratio.mean()


def test_silent_layers_say_what_the_embeddings_say():
    encoder = Encoder.create(width=16, heads=2, layers=2, dim=8, window=6)
    ids = torch.tensor([[5, 9, 2], [7, 9, 2]])
    assert not torch.equal(*encoder.trunk(ids)[:, 2])
    encoder.silence()
    torch.testing.assert_close(encoder.trunk(ids), encoder.norm(encoder.embed(ids)))


def test_training_begins_with_the_weights_of_a_finished_encoder(tmp_path):
    shape = {"width": 16, "heads": 2, "layers": 2, "dim": 8}
    finished = Encoder.create(window=6, seed=1, **shape)
    finished.save_pretrained(tmp_path / "finished")
    fresh = Encoder.create(window=9, seed=2, state_dim=3, **shape)
    take_weights(fresh, str(tmp_path / "finished"))
    ids = torch.randint(0, 1000, (1, 5))  # no longer than the smaller window
    torch.testing.assert_close(fresh(ids), finished(ids))
    long = torch.randint(0, 1000, (1, 40))
    assert (fresh(long) * finished(long)).sum(-1).min() > 0.9  # far tokens come in faintly
    with pytest.raises(InputError, match="wider window"):
        take_weights(Encoder.create(window=6, **shape | {"dim": 4}), str(tmp_path / "finished"))
    with pytest.raises(InputError, match="has the shape"):
        take_weights(Encoder.create(window=4, **shape), str(tmp_path / "finished"))


def test_learning_rate_follows_the_published_schedule():
    settings = Optimisation(steps=100, warmup=10, rate=1.0)
    rates = [learning_rate(step, settings) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and rates[9] == rates[10] == 1.0
    assert rates[100] == pytest.approx(0.1) and rates[55] == pytest.approx(0.55)
    assert all(a > b for a, b in pairwise(rates[10:]))
