"""Times what other libraries take for the work of culoss: value and gradient of a loss.

Each line on stdin is a workload (`PeerRequest` in peers.mts). For each peer of it a line on stdout
says what it takes, or in words why there is no figure; {"isDone": true} ends the answer. Numbers come
from files that culoss reads, too. Times are CUDA events, in turn with a plain copy of the inputs;
with `--device cpu`, which is for tests, they are the host's clock.
"""

import argparse
import json
import math
import statistics
import sys
import time
from itertools import cycle

import torch

import peer_losses

dtypes = {name: getattr(torch, name) for name in ("float32", "float64", "float16", "bfloat16")}


def from_file(path, dtype, shape, device):
    """The tile of a file, over and over until the tensor is full."""
    tile = torch.frombuffer(bytearray(open(path, "rb").read()), dtype=dtype).to(device)
    count = math.prod(shape)
    return tile.repeat(-(-count // len(tile)))[:count].clone().reshape(shape)


class Buffers:
    """What one call works on."""

    def __init__(self, inputs, ids, dense):
        self.inputs = inputs.clone().requires_grad_()
        self.ids = ids.clone()
        self.dense = None if dense is None else dense.clone()
        self.copy = torch.empty_like(inputs)


def buffers_of(work, needs_dense, device):
    shape = work["shape"]
    inputs = from_file(work["inputsFile"], dtypes[work["dtype"]], shape, device)
    rows = [shape[0], *shape[2:]]
    ids = from_file(work["idsFile"], torch.int32, rows, device).long()
    # Made before the clock runs, for those that cannot take class ids.
    dense = torch.zeros_like(inputs).scatter_(1, ids.unsqueeze(1), 1.0) if needs_dense else None
    return [Buffers(inputs, ids, dense) for _ in range(work["sets"])]


class Clock:
    """Milliseconds that the device works on what a function enqueues."""

    def __init__(self, device):
        self.is_cuda = device == "cuda"

    def time(self, enqueue):
        if not self.is_cuda:
            started = time.perf_counter()
            enqueue()
            return 1000 * (time.perf_counter() - started)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        enqueue()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)


def timer(clock, turn, step):
    """Measures one step, by as many at once as take long enough for launching not to count."""

    def time_of(calls):
        return clock.time(lambda: [step(next(turn)) for _ in range(calls)]) / calls

    calls = min(max(math.ceil(2 / max(time_of(1), 1e-3)), 1), 100)
    return lambda: time_of(calls)


# Seconds for a peer whose calls take some: it needs fewer pairs to be told from another.
PATIENCE = 20


def in_pairs(a, b, effort):
    first, second = [], []
    start = time.monotonic()
    seconds, fewest, most = effort["milliseconds"] / 1000, effort["fewestPairs"], effort["mostPairs"]
    while not first or (
        len(first) < most
        and time.monotonic() - start < (seconds if len(first) >= fewest else PATIENCE)
    ):
        first.append(a())
        second.append(b())
    return statistics.median(first), statistics.median(second)


def value_and_grad(peer, buffers):
    targets = buffers.dense if peer.needs_dense else buffers.ids
    loss = peer.loss(buffers.inputs, targets)
    return loss.detach(), torch.autograd.grad(loss, buffers.inputs)[0]


def memory_of(step, buffers):
    """Bytes beyond what was there before the call."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step(buffers)
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def measure(peer, work, clock, device):
    sets = buffers_of(work, peer.needs_dense, device)
    turn = cycle(sets)

    def step(buffers):
        return value_and_grad(peer, buffers)

    loss, grad = step(sets[0])  # compiles
    answer = {"value": loss.item(), "isSame": peer.is_same}
    if work["wantsGrad"]:
        answer["grad"] = grad.double().flatten().tolist()
    del loss, grad
    answer["memoryBytes"] = memory_of(step, sets[0]) if clock.is_cuda else None
    copy = timer(clock, turn, lambda buffers: buffers.copy.copy_(buffers.inputs.detach()))
    times = in_pairs(timer(clock, turn, step), copy, work["effort"])
    return {**answer, "milliseconds": times[0], "copyMilliseconds": times[1]}


def in_words(error):
    if "out of memory" in str(error).lower():
        return "out of memory"
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"


def answers(work, clock, device):
    if "threads" in work:
        torch.set_num_threads(work["threads"])
    for peer in peer_losses.peers_of(work):
        if peer.missing is not None:
            yield {"peer": peer.name, "missing": peer.missing}
            continue
        try:
            yield {"peer": peer.name, **measure(peer, work, clock, device)}
        except Exception as error:  # of any library: it is what there is to say about this peer
            yield {"peer": peer.name, "missing": in_words(error)}
        if clock.is_cuda:
            torch.cuda.empty_cache()  # culoss has the card next
        peer_losses.forget_compiled()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    device = parser.parse_args().device
    out, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints is no answer

    def say(answer):
        print(json.dumps(answer), file=out, flush=True)

    say(peer_losses.versions())
    clock = Clock(device)
    for line in sys.stdin:
        for answer in answers(json.loads(line), clock, device):
            say(answer)
        say({"isDone": True})


if __name__ == "__main__":
    main()
