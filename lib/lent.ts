import { constants } from 'node:buffer';
import { bytesPerElement, type DataOf, type Dtype, viewOf } from './dtype';
import { Description, fail, native } from './errors';
import { binding } from './native';

/** Bytes that Node takes as one buffer whose memory is not its own. */
function bytesOf(size: number, dtype: Dtype): number {
  const bytes = size * bytesPerElement(dtype);
  if (bytes <= constants.MAX_LENGTH) return bytes;
  const actual = new Description(`${bytes}`);
  return fail('ERR_SHAPE', 'shape', `at most ${constants.MAX_LENGTH} bytes on the host`, actual);
}

/** What is told of memory on the host that the collector has come to. */
const releases = new FinalizationRegistry<() => void>(tell);

/** Memory on the host that goes back by hand, once, when no call holds it. */
class Lent {
  #calls = 0;
  #isReturned = false;
  #giveBack: (() => void) | undefined;

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  hold(): void {
    this.#calls += 1;
  }

  /** By a call that held it. */
  letGo(): void {
    this.#calls -= 1;
    this.#settle();
  }

  return(): void {
    this.#isReturned = true;
    this.#settle();
  }

  #settle(): void {
    if (!this.#isReturned || this.#calls > 0) return;
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }
}

/** By buffer: other views may be on it. */
const lent = new WeakMap<ArrayBufferLike, Lent>();

/** Keeps memory that goes back by hand, if it is that, until what this returns is called. */
export function hold(data: ArrayBufferView): () => void {
  const held = lent.get(data.buffer);
  held?.hold();
  return () => held?.letGo();
}

/** What a release throws is nobody's to catch, wherever it is called. */
function tell(release: () => void): void {
  try {
    release();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Memory on the host that V8 does not own, and what gives it back: nothing sees it then. */
interface LentData<D extends Dtype> {
  data: DataOf<D>;
  giveBack: () => void;
}

function lend<D extends Dtype>(buffer: ArrayBuffer, dtype: D, release?: () => void): LentData<D> {
  const data = viewOf(buffer, dtype);
  if (release) releases.register(buffer, release, buffer);
  const own = new Lent(() => {
    releases.unregister(buffer);
    native(() => binding.detach(buffer));
    if (release) tell(release);
  });
  lent.set(buffer, own);
  return { data, giveBack: () => own.return() };
}

/** Memory of someone else. */
export function foreignData<D extends Dtype>(
  address: bigint,
  size: number,
  dtype: D,
  release?: () => void,
): LentData<D> {
  const bytes = bytesOf(size, dtype);
  return lend(
    native(() => binding.hostMemory(address, bytes)),
    dtype,
    release,
  );
}

const pinned = new WeakSet<ArrayBufferLike>();

/** New memory that devices read and write by themselves. */
export function pinnedData<D extends Dtype>(size: number, dtype: D): LentData<D> {
  const bytes = bytesOf(size, dtype);
  const buffer = native(() => binding.pinnedMemory(bytes));
  pinned.add(buffer);
  return lend(buffer, dtype);
}

export const isPinned = ({ buffer }: ArrayBufferView): boolean => pinned.has(buffer);
