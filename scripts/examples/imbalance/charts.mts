import * as echarts from 'echarts';
import { type Outcome, type Result, type Run, recallGrid } from './experiment.mjs';
import { recallSpread, type Spread, spreadOf } from './summary.mjs';

/** The same look for a loss in every chart, told apart without colours too. */
const looks: Record<string, { color: string; type: 'solid' | 'dashed' | 'dotted' }> = {
  'log loss': { color: '#0072b2', type: 'solid' },
  'balanced log loss': { color: '#d55e00', type: 'dashed' },
  'focal loss': { color: '#009e73', type: 'dotted' },
};
const grey = '#777';
const width = 460;

function render(option: echarts.EChartsOption, height: number): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: 'system-ui, sans-serif', fontSize: 12 },
    legend: { top: 0, ...legend },
    ...option,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

const axisName = {
  nameLocation: 'middle',
  nameTextStyle: { fontSize: 12, color: '#333' },
} as const;

// Text is measured without a font here, so the gap leaves room for a wide one.
const legend = { itemGap: 16, itemWidth: 24, textStyle: { fontSize: 11 } };

/** A line for the mean over the seeds in a band of one standard deviation to either side. */
function band({ contender, runs }: Result, of: (run: Run) => number[]) {
  const look = looks[contender.name];
  const points = of(runs[0] as Run).map((_, i) =>
    spreadOf(runs.map((run) => of(run)[i] as number)),
  );
  const low = ({ mean, deviation = 0 }: Spread): number => Math.max(0, mean - deviation);
  const high = ({ mean, deviation = 0 }: Spread): number => Math.min(1, mean + deviation);
  const bound = {
    type: 'line',
    stack: contender.name,
    symbol: 'none',
    silent: true,
    lineStyle: { opacity: 0 },
  } as const;
  return [
    { ...bound, data: points.map(low) },
    {
      ...bound,
      data: points.map((point) => high(point) - low(point)),
      areaStyle: { color: look?.color, opacity: 0.14 },
    },
    {
      type: 'line',
      name: contender.name,
      symbol: 'none',
      data: points.map(({ mean }) => mean),
      itemStyle: { color: look?.color },
      lineStyle: { ...look, width: 2 },
    } as const,
  ];
}

function curves(
  { results, majority }: Outcome,
  of: (run: Run) => number[],
  x: { name: string; labels: string[]; every: number },
  y: string,
): string {
  const floor = spreadOf(majority.map(({ averagePrecision }) => averagePrecision)).mean;
  const isLabelled = (index: number): boolean => (index + 1) % x.every === 0;
  const series = results.flatMap((result) => band(result, of));
  return render(
    {
      grid: { left: 52, right: 16, top: 40, bottom: 46 },
      legend: {
        data: [...results.map(({ contender }) => contender.name), 'majority'],
        top: 0,
        ...legend,
        itemStyle: { opacity: 0 },
      },
      xAxis: {
        type: 'category',
        data: x.labels,
        boundaryGap: false,
        name: x.name,
        nameGap: 28,
        axisLabel: { interval: isLabelled },
        axisTick: { interval: isLabelled },
        ...axisName,
      },
      yAxis: {
        type: 'value',
        min: 0,
        max: ({ max }) => (max > 0.7 ? 1 : null),
        name: y,
        nameGap: 36,
        ...axisName,
      },
      series: [
        ...series,
        {
          type: 'line',
          name: 'majority',
          symbol: 'none',
          data: x.labels.map(() => floor),
          itemStyle: { color: grey },
          lineStyle: { color: grey, width: 1 },
        },
      ],
    },
    340,
  );
}

export function learningCurves(outcome: Outcome): string {
  const labels = Array.from({ length: outcome.task.epochs }, (_, epoch) => `${epoch + 1}`);
  const x = { name: 'epoch', labels, every: labels.length < 10 ? 1 : 5 };
  return curves(outcome, ({ history }) => history, x, 'average precision on test data');
}

export function precisionRecallCurves(outcome: Outcome): string {
  const labels = recallGrid.map((recall) => recall.toFixed(1));
  return curves(outcome, ({ curve }) => curve, { name: 'recall', labels, every: 10 }, 'precision');
}

/** Whiskers of one standard deviation on the bars of one loss. */
function whiskers({ task, results }: Outcome, index: number): echarts.CustomSeriesOption {
  const result = results[index] as Result;
  return {
    type: 'custom',
    silent: true,
    z: 3,
    data: task.classes.map((_, id) => {
      const { mean, deviation = 0 } = recallSpread(result, id);
      return [Math.max(0, mean - deviation), id, Math.min(1, mean + deviation)];
    }),
    encode: { x: [0, 2], y: 1 },
    renderItem: (_params, api) => {
      const y = api.value(1);
      const [left = 0, middle = 0] = api.coord([api.value(0), y]);
      const [right = 0] = api.coord([api.value(2), y]);
      const bars = api.barLayout({ count: results.length, barGap: '10%', barCategoryGap: '28%' });
      const centre = middle + (bars?.[index]?.offsetCenter ?? 0);
      const line = (x1: number, y1: number, x2: number, y2: number) => ({
        type: 'line' as const,
        shape: { x1, y1, x2, y2 },
        style: { stroke: '#222', lineWidth: 1 },
      });
      return {
        type: 'group',
        children: [
          line(left, centre, right, centre),
          line(left, centre - 3, left, centre + 3),
          line(right, centre - 3, right, centre + 3),
        ],
      };
    },
  };
}

export function recallBars(outcome: Outcome): string {
  const { task, results } = outcome;
  const names = task.classes.map((name, id) => `${name} (${task.trainCounts[id]})`);
  return render(
    {
      grid: { left: 120, right: 20, top: 40, bottom: 46 },
      xAxis: { type: 'value', min: 0, max: 1, name: 'recall', nameGap: 28, ...axisName },
      yAxis: { type: 'category', data: names, inverse: true, axisTick: { show: false } },
      series: [
        ...results.map((result) => ({
          type: 'bar' as const,
          name: result.contender.name,
          barGap: '10%',
          barCategoryGap: '28%',
          itemStyle: { color: looks[result.contender.name]?.color, opacity: 0.85 },
          data: task.classes.map((_, id) => recallSpread(result, id).mean),
        })),
        ...results.map((_, index) => whiskers(outcome, index)),
      ],
    },
    100 + names.length * results.length * (names.length > 4 ? 16 : 26),
  );
}
