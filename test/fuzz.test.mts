// Random calls with whatever a program may give. CULOSS_FUZZ_SECONDS goes on for so long with each.
import fc from 'fast-check';
import { itUnless, onCuda } from './devices.mjs';
import {
  type HostileCall,
  hostileCall,
  makeCall,
  makeNativeCall,
  type NativeCall,
  nativeCall,
} from './hostile.mjs';

const seconds = Number(process.env.CULOSS_FUZZ_SECONDS ?? 0);
const effort =
  seconds > 0
    ? { numRuns: Number.POSITIVE_INFINITY, interruptAfterTimeLimit: 1000 * seconds }
    : { numRuns: 2000 };

/** How many calls came to their end. */
async function fuzz<C>(
  what: string,

  calls: fc.Arbitrary<C>,
  make: (call: C) => Promise<boolean>,
): Promise<string> {
  let [all, ended] = [0, 0];
  const property = fc.asyncProperty(calls, async (call) => {
    all += 1;
    ended += Number(await make(call));
  });
  await fc.assert(property, effort);
  return `${all} hostile calls of ${what}, ${ended} of which came to a result`;
}

describe('fuzz', function () {
  if (seconds > 0) this.timeout(0);
  itUnless(null, 'fuzz: calls of criteria on the CPU', () =>
    fuzz('criteria on the CPU', hostileCall, (call: HostileCall) => makeCall(call, 'cpu')),
  );
  onCuda('fuzz: calls of criteria cuda:0', () =>
    fuzz('criteria on cuda:0', hostileCall, (call: HostileCall) => makeCall(call, 'cuda:0')),
  );
  itUnless(null, 'fuzz: calls of the addon itself', () =>
    fuzz('the addon', nativeCall, (call: NativeCall) => makeNativeCall(call)),
  );
});
