"""Which other libraries compute the loss of a workload, and how."""

import platform
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Callable, Optional

import torch
import torch.nn.functional as F

import source_losses


@dataclass
class Peer:
    name: str
    loss: Callable  # (inputs, targets) -> a scalar
    needs_dense: bool
    is_same: bool  # computes the function of culoss, so that the losses must agree
    missing: Optional[str] = None  # why it cannot be run


def peers_of(work):
    found = [source(work), *functional(work), *torchvision_focal(work)]
    return found + [compiled(peer) for peer in found if not peer.name.startswith("torchvision")]


def source(work):
    """The modules that culoss replaces, behind the sigmoid or softmax that they want."""
    is_binary = work["loss"].startswith("Binary")
    is_dense = work["targets"] == "one-hot"
    options = {"onehot": is_dense}
    if work["loss"].endswith("FocalLoss"):
        options["gamma"] = work["gamma"]
    if work["loss"] == "BinaryFocalLoss":
        options["alpha"] = work["alpha"]
    module = getattr(source_losses, work["loss"])(**options)
    from_logits = work["from"] == "logits"

    def loss(inputs, targets):
        if from_logits:
            inputs = torch.sigmoid(inputs) if is_binary else torch.softmax(inputs, 1)
        return module(inputs, targets).sum()

    # Most classes of a softmax are below the clamp of the modules.
    return Peer("source modules", loss, is_dense, is_binary or not from_logits)


def functional(work):
    """What PyTorch has, or what is made of it in a line."""
    is_dense = work["targets"] == "one-hot"
    key = (work["loss"], work["from"])
    if key == ("BinaryCrossEntropy", "logits"):
        yield Peer("F.binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits, True, True)
    if key == ("BinaryCrossEntropy", "probabilities"):
        yield Peer("F.binary_cross_entropy", F.binary_cross_entropy, True, True)
    if key == ("NegativeLogLoss", "logits"):
        yield Peer("F.cross_entropy", F.cross_entropy, is_dense, True)
    if key == ("NegativeLogLoss", "probabilities") and not is_dense:
        yield Peer("F.nll_loss of log", lambda p, ids: F.nll_loss(p.log(), ids), False, True)
    if key == ("CategoricalFocalLoss", "logits") and not is_dense:
        yield Peer("focal of F.log_softmax", partial(focal_of_log_softmax, work["gamma"]), False, True)


def focal_of_log_softmax(gamma, logits, ids):
    log_p = F.log_softmax(logits, 1).gather(1, ids.unsqueeze(1))
    return ((1 - log_p.exp()) ** gamma * -log_p).mean()


def torchvision_focal(work):
    if (work["loss"], work["from"]) != ("BinaryFocalLoss", "logits"):
        return
    name = "torchvision sigmoid_focal_loss"
    try:
        focal = import_module("torchvision.ops").sigmoid_focal_loss
    except Exception as error:  # a torchvision of another torch fails in its own ways
        yield Peer(name, None, True, True, f"not installed ({type(error).__name__})")
        return
    options = {"alpha": work["alpha"], "gamma": work["gamma"], "reduction": "mean"}
    yield Peer(name, partial(focal, **options), True, True)


def compiled(peer):
    name = f"{peer.name}, torch.compile"
    if not hasattr(torch, "compile"):
        return Peer(name, None, peer.needs_dense, peer.is_same, "this torch cannot compile")
    loss = torch.compile(peer.loss, dynamic=False)
    return Peer(name, loss, peer.needs_dense, peer.is_same)


def forget_compiled():
    """Each workload is compiled for itself."""
    if hasattr(torch, "compile"):
        torch._dynamo.reset()


def versions():
    found = {"Python": platform.python_version(), "torch": torch.__version__}
    for name in ("torchvision", "triton"):
        try:
            found[name] = import_module(name).__version__
        except Exception:  # not installed, or of another torch
            pass
    return found
