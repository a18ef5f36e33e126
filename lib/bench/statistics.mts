import { median } from 'simple-statistics';

export { median };

/** How many times faster the first is: the median over pairs that were measured in turn. */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length) throw new Error('a pair has two measurements');
  return median(ours.map((time, i) => (theirs[i] as number) / time));
}
