// A dot per test, the failures, figures that tests found, the reasons of what was skipped, and one
// plain closing line.
const { appendFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class Reporter extends reporters.Dot {
  constructor(runner, options) {
    super(runner, options);
    const reasons = new Map();
    runner.on(Runner.constants.EVENT_TEST_PENDING, ({ title }) => {
      const reason = /\(skipped: (.*)\)$/.exec(title)?.[1] ?? 'no reason given';
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    });
    const figures = new Set(); // the same of several devices counts once
    runner.on(Runner.constants.EVENT_TEST_PASS, ({ title }) => {
      const figure = /\(figure: (.*)\)$/.exec(title)?.[1];
      if (figure !== undefined) figures.add(figure);
    });
    runner.on(Runner.constants.EVENT_RUN_END, () => {
      for (const figure of figures) console.log(`  ${figure}`);
      for (const [reason, count] of reasons) console.log(`  ${count} skipped: ${reason}`);
      const { passes, failures, pending } = this.stats;
      const skipped = pending > 0 ? `, ${pending} skipped` : '';
      console.log(`\n${passes} passed, ${failures} failed${skipped}`);
      const results = process.env.CULOSS_TEST_RESULTS; // for the sum over several runs
      if (results) appendFileSync(results, `${JSON.stringify({ passes, failures })}\n`);
    });
  }
};
