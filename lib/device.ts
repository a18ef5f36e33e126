import { Description, errorOf, fail } from './errors';
import { binding } from './native';

/** `'cpu'`, or `'cuda:0'`, `'cuda:1'`, … */
export type Device = 'cpu' | `cuda:${number}`;

/** What names a device: `'cuda'` is the first one. */
export type DeviceLike = Device | 'cuda';

const cpuIndex = -1;

/** The position of a device in the addon. */
export function deviceIndex(device: Device): number {
  return device === 'cpu' ? cpuIndex : Number(device.slice('cuda:'.length));
}

/** The CUDA device of an index, whether it is there or not. */
export function cudaAt(index: unknown): Device {
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0) {
    fail('ERR_DEVICE', 'index', 'the index of a CUDA device', index);
  }
  return `cuda:${index}`;
}

/** Reads a device and makes sure that it is there: asking for CUDA never falls back to the CPU. */
export function checkDevice(device: unknown, argument: string): Device {
  if (device === 'cpu') return 'cpu';
  const match = typeof device === 'string' ? /^cuda(?::(0|[1-9]\d{0,8}))?$/.exec(device) : null;
  if (match === null) fail('ERR_DEVICE', argument, "'cpu', 'cuda' or 'cuda:<index>'", device);
  const reason = binding.cudaUnavailableReason();
  if (reason !== null) {
    throw errorOf('ERR_CUDA_UNAVAILABLE', `${argument}: ${reason.message}; ${reason.hint}`);
  }
  const index = Number(match[1] ?? 0);
  const count = binding.cudaDeviceCount();
  if (index >= count) {
    fail('ERR_DEVICE', argument, `one of ${count} CUDA devices`, new Description(`cuda:${index}`));
  }
  return `cuda:${index}`;
}
