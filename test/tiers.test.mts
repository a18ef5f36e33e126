// Rows of every length, from one class to more than a block can hold: each length is treated by
// another kernel. Against the CPU engine, which knows one way only.
import { cuda, type Device, tensor } from 'culoss';
import { criterionOf, floatDtypes, randomNumbers, tolerances } from './cases.mjs';
import { itUnless, numbers, whyNoCuda } from './devices.mjs';
import { expectClose } from './expect.mjs';

// Around the limits of each kernel, in packs of 16 bytes and beside them. The emulated devices have
// little memory for a block, so that these lengths meet all kernels; a real one meets the longest.
const lengths = [1, 2, 7, 8, 31, 32, 57, 64, 65, 128, 250, 256, 511, 513, 1000, 1021, 1024, 1025];
const longer = [2048, 2777, 4096, 4099, 8192, 12289, 20000, 40001, 70001];
const longest = [131072, 262147, 1000003];
const isEmulated = cuda.isAvailable() && cuda.device().name === 'emulated device';
