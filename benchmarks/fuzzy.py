"""Fuzzy induction against encoding every window of the context again at every step."""

import time

import numpy as np
import torch

from benchmarks.common import execute, seconds, write
from benchmarks.exact import sample_ids
from gim.encoder.encoder import Encoder
from gim.induction.fuzzy import FuzzyInduction
from gim.text.words import join_words

CONTEXT = 1024
WORDS = 2000  # of a story


def main() -> None:
    torch.set_num_threads(1)
    ids, source = sample_ids(20_000)
    encoder = Encoder.create(seed=0).eval()
    tokenizer = encoder.tokenizer
    targets = np.append(ids[1:], -1)
    FuzzyInduction(encoder, tokenizer, CONTEXT).score(ids[:3000], targets[:3000])

    def whole() -> None:
        FuzzyInduction(encoder, tokenizer, CONTEXT).score(ids, targets)

    fast = seconds(whole, 2) / len(ids)

    @torch.inference_mode()
    def again(end: int) -> None:
        """All windows of the context, in batches, for one prediction."""
        context = torch.from_numpy(ids[end - CONTEXT : end])
        windows = context.unfold(0, encoder.config.receptive, 1)
        states = torch.cat([encoder(part)[:, -1] for part in windows.split(64)])
        encoder.similarity(states[-1:].numpy(), states[:-1].numpy())

    slow = seconds(lambda: again(5000), 2)
    stream = FuzzyInduction(encoder, tokenizer, CONTEXT)
    stream.extend(ids[:CONTEXT])
    started = time.process_time()
    for token in ids[CONTEXT : CONTEXT + 100]:
        stream.push(int(token))
        stream.counts()
    step = (time.process_time() - started) / 100
    shipped = Encoder.from_pretrained()
    story = shipped.tokenizer.decode(ids).split()[:WORDS]
    story_seconds = seconds(lambda: shipped.vectors(*join_words(story)))
    write(
        "fuzzy",
        f"fuzzy induction with a context of {CONTEXT} tokens, over a whole text",
        "encode the windows of the whole context again at every position",
        data=source,
        encoder={"width": encoder.config.width, "layers": encoder.config.layers},
        shipped_encoder_seconds_per_story_of_2000_words=story_seconds,
        shipped_encoder_words_per_second=len(story) / story_seconds,
        microseconds_per_position=1e6 * fast,
        milliseconds_per_single_step=1e3 * step,
        alternative_milliseconds_per_position=1e3 * slow,
        ratio=slow / fast,
        ratio_of_single_steps=slow / step,
        ratio_wanted=300,
        limit="one encoder token a position, which is 1/61,504 of the tokens of the alternative",
    )


if __name__ == "__main__":
    execute(main)
