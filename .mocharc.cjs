// Test files share nothing: as many run at once as there are cores, those that take longest first.
// Some run alone, see scripts/check.mjs.
const { availableParallelism } = require('node:os');

const longest = 'properties|tiers|bench|reference';

module.exports = {
  spec: [`out/test/@(${longest}).test.mjs`, `out/test/!(${longest}|rebuild|event-loop).test.mjs`],
  reporter: './test/reporter.cjs',
  timeout: 120000,
  parallel: true,
  jobs: availableParallelism(),
};
