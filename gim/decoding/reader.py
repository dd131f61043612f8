"""A language model with its cache."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


class Reader:
    """A language model with its cache: logits of the last tokens of a growing sequence."""

    def __init__(self, model: Any) -> None:
        from transformers import DynamicCache

        self.model = model
        self._cache = DynamicCache(config=model.config)
        self._read: list[int] = []

    @torch.inference_mode()
    def read(self, ids: list[int], last: int) -> NDArray[np.float32]:
        """Logits after each of the ``last`` tokens, shape (last, vocabulary)."""
        same = min(len(ids) - last, len(self._read))
        while self._read[:same] != ids[:same]:
            same -= 1
        if same < len(self._read):
            self._cache.crop(same - len(self._read))  # negative: tokens to remove
        new = torch.tensor([ids[same:]], device=self.model.device)
        logits = self.model(new, past_key_values=self._cache, use_cache=True).logits[0, -last:]
        self._read = list(ids)
        return logits.float().cpu().numpy()
