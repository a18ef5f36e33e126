import { mkdirSync, writeFileSync } from 'node:fs';
import { format } from 'echarts';
import { learningCurves, precisionRecallCurves, recallBars } from './charts.mjs';
import type { Outcome } from './experiment.mjs';
import { inProject } from './files.mjs';
import { style } from './style.mjs';
import { recallTable, ruleOfVerdicts, scoreTable, type Table, verdicts } from './summary.mjs';
import type { Task } from './task.mjs';

/** Facts about the run, by name. */
export type Facts = Record<string, string>;

const text = format.encodeHTML;

const list = (items: string[]): string =>
  `<ul>${items.map((item) => `<li>${text(item)}</li>`).join('')}</ul>`;

function table({ head, rows }: Table): string {
  const cells = (tag: string, row: string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${text(cell)}</${tag}>`).join('')}</tr>`;
  const body = rows.map((row) => cells('td', row)).join('');
  const content = `<thead>${cells('th', head)}</thead><tbody>${body}</tbody>`;
  return `<div class="wide"><table>${content}</table></div>`;
}

function figure(svg: string, caption: string): string {
  const labelled = svg.replace('<svg ', `<svg role="img" aria-label="${text(caption)}" `);
  return `<figure>${labelled}<figcaption>${text(caption)}</figcaption></figure>`;
}

const definitions = (facts: Facts): string =>
  `<dl>${Object.entries(facts)
    .map(([name, value]) => `<dt>${text(name)}</dt><dd>${text(value)}</dd>`)
    .join('')}</dl>`;

export const modelOf = ({ hidden, learningRate, batchSize, epochs }: Task): string =>
  `one hidden layer of ${hidden} ReLU units; Adam, learning rate ${learningRate}, ` +
  `batches of ${batchSize}, ${epochs} epochs`;

function section(outcome: Outcome): string {
  const { task, results } = outcome;
  const macro = task.columns === 1 ? '' : ', mean over the classes';
  return `
<section>
<h2>${text(task.name)}</h2>
<p>${text(task.about)}</p>
${table(scoreTable(outcome))}
${list(verdicts(outcome))}
<div class="figures">
${figure(
  precisionRecallCurves(outcome),
  `Precision and recall on test data${macro}. Bands: one standard deviation over the seeds.`,
)}
${figure(
  learningCurves(outcome),
  `Average precision on test data after each epoch${macro}. The run chooses nothing by it. ` +
    'The losses themselves differ in scale and cannot be compared.',
)}
${figure(
  recallBars(outcome),
  'Recall by class, in brackets the examples to learn from. Whiskers: one standard deviation.',
)}
${definitions({
  ...Object.fromEntries(results.map(({ contender }) => [contender.name, contender.code])),
  model: modelOf(task),
  epoch: task.epoch,
  'predicted class': task.decision,
  'differs by seed': task.varies,
  data: task.source,
})}
</div>
${table(recallTable(outcome))}
</section>`;
}

/** Writes report/`name`, which needs neither a network nor scripts; returns its path. */
export function writeReport(name: string, outcomes: Outcome[], facts: Facts): string {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Losses on imbalanced data</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Losses on imbalanced data</h1>
<p>The same models, trained with different losses of culoss on two real data sets whose classes
differ widely in size. Numbers are the mean ± standard deviation over the seeds, on held-out test
data; all losses share the split, first weights and batches of a seed. ${text(ruleOfVerdicts)}</p>
${outcomes.map(section).join('')}
<section>
<h2>About this run</h2>
${definitions(facts)}
</section>
</main>
</body>
</html>
`;
  mkdirSync(inProject('report'), { recursive: true });
  const path = inProject('report', name);
  writeFileSync(path, html);
  return path;
}
