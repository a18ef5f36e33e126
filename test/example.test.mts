// What `npm start` runs, made short: it trains for real, and its report stands by itself.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

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
});
