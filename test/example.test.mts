// What `npm start` runs, made short: it trains for real, and its report stands by itself.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cuda } from 'culoss';
import { findPython } from '../scripts/bench/peers.mjs';
import { itUnless, notEmulated } from './devices.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('example', () => {
  it('trains on both data sets, prints the scores of every loss, and writes the report', () => {
    const output = execFileSync(
      process.execPath,
      [`${root}out/scripts/examples/imbalance/main.mjs`],
      { encoding: 'utf8', env: { ...process.env, CULOSS_EXAMPLE_QUICK: '1' } },
    );
    expect(output).to.match(/^Losses and gradients: culoss on /);
    for (const loss of ['log loss', 'balanced log loss', 'focal loss', 'majority class']) {
      const rows = [...output.matchAll(new RegExp(`│ ${loss} +│ +(\\d\\.\\d+)`, 'g'))];
      expect(rows.length, loss).to.be.greaterThan(0);
      // Ranking by chance has an average precision of 0.05 here, and 0.10 there.
      const scores = rows.map(([, score]) => Number(score));
      if (loss !== 'majority class') expect(Math.min(...scores), loss).to.be.greaterThan(0.06);
    }
    const path = /^Report, after \d+ s: (.*)$/m.exec(output)?.[1] as string;
    const html = readFileSync(path, 'utf8');
    expect(html.match(/<svg/g)).to.have.length(6);
    expect(html).not.to.match(/<script|<link|src=|url\((?!#)|NaN|undefined/);
  });

  const python = findPython();
  const [hasCuda, wantsAll] = [
    cuda.isAvailable() && notEmulated !== null,
    process.env.REQUIRE_CUDA === '1' && process.env.REQUIRE_TORCH === '1',
  ];
  const missing = hasCuda && python ? null : 'it needs a GPU, and a Python with torch for it';
  itUnless(wantsAll ? null : missing, 'gives PyTorch a gradient in its own memory cuda:0', () => {
    if (missing) throw new Error(`REQUIRE_CUDA=1 and REQUIRE_TORCH=1, but ${missing}`);
    const script = `${root}out/scripts/examples/pytorch/main.mjs`;
    const output = execFileSync(process.execPath, [script, python as string], { encoding: 'utf8' });
    expect(output).to.match(/^loss \d\.\d{6}, of PyTorch \d\.\d{6}; the gradients agree$/m);
  });
});
