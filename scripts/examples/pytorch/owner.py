"""Owns logits and room for their gradient on a GPU, and lets another process compute the latter.

A line on stdout says how the memory is opened; a line on stdin that the gradient is there. It is held
against PyTorch's own. Started by main.mts.
"""

import ctypes
import json
import sys

import torch
import torch.nn.functional as F


class IpcHandle(ctypes.Structure):
    _fields_ = [("reserved", ctypes.c_byte * 64)]


cuda = ctypes.CDLL("libcuda.so.1")
cudart = ctypes.CDLL(f"libcudart.so.{torch.version.cuda.split('.')[0]}")  # which torch has loaded


def check(status, call):
    if status != 0:
        raise RuntimeError(f"{call} failed: {status}")


def shared(tensor):
    """What opens the memory of a tensor: it lies somewhere in a block of PyTorch's."""
    address, base, size = ctypes.c_void_p(tensor.data_ptr()), ctypes.c_void_p(), ctypes.c_size_t()
    status = cuda.cuMemGetAddressRange_v2(ctypes.byref(base), ctypes.byref(size), address)
    check(status, "cuMemGetAddressRange")
    handle = IpcHandle()
    check(cudart.cudaIpcGetMemHandle(ctypes.byref(handle), base), "cudaIpcGetMemHandle")
    offset = address.value - base.value
    return {"handle": list(bytes(handle)), "offset": offset, "shape": list(tensor.shape)}


def main():
    torch.manual_seed(1)
    logits = torch.randn(1000, 80, device="cuda", requires_grad=True)
    ids = torch.randint(80, (1000,))
    grad = torch.zeros(1000, 80, device="cuda")
    torch.cuda.synchronize()  # the other process waits for nothing of this one
    print(json.dumps({"logits": shared(logits), "grad": shared(grad), "ids": ids.tolist()}), flush=True)

    loss = json.loads(sys.stdin.readline())["loss"]
    expected = F.cross_entropy(logits, ids.cuda())
    expected.backward()
    torch.testing.assert_close(loss, expected.item(), rtol=1e-5, atol=0)
    torch.testing.assert_close(grad, logits.grad, rtol=1e-4, atol=1e-9)
    print(json.dumps({"loss": expected.item()}), flush=True)


main()
