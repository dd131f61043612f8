"""Products of the encoder's layers: the same however they are made."""

import pytest
import torch
from torch import nn

import gim.encoder.layer
from gim.encoder.layer import ROWS, linear


@pytest.mark.parametrize("intel", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1,), (ROWS - 1,), (ROWS,), (3, ROWS)])
def test_a_product_is_the_same_with_and_without_gradients(shape, bias, intel, monkeypatch):
    monkeypatch.setattr(gim.encoder.layer, "_is_intel", lambda: intel)
    torch.manual_seed(0)
    layer, x = nn.Linear(24, 40, bias=bias), torch.randn(*shape, 24)
    wanted = linear(layer, x)
    assert wanted.requires_grad and torch.equal(wanted, layer(x))
    with torch.inference_mode():
        torch.testing.assert_close(linear(layer, x), wanted.detach(), rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        torch.testing.assert_close(linear(layer, x), wanted, rtol=1e-5, atol=1e-6)


def test_other_precisions_stay_what_they_are():
    layer, x = nn.Linear(24, 40).double(), torch.randn(ROWS, 24).double()
    with torch.no_grad():
        assert torch.equal(linear(layer, x), layer(x))
