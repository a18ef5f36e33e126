// A sweep as a picture.
import * as echarts from 'echarts';
import type { Sweep } from '../index.mjs';
import { labelOf } from './sweep.mjs';

const [width, height] = [760, 760];
const colors = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#777'];

/** Classes that have a bar of their own. */
const mostBars = 40;

/** Above, the mean by gamma, a line for each alpha; below, the part of each class, a bar for each gamma. */
export function sweepPlot(name: string, { gammas, alphas, loss, classes }: Sweep): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  const lines = alphas.map((alpha, j) => ({
    type: 'line' as const,
    name: labelOf(alpha),
    data: gammas.map((gamma, i) => [gamma, loss[i]?.[j]]),
  }));
  const shown = classes.slice(0, mostBars);
  const bars = gammas.map((gamma, i) => {
    const total = classes.reduce((sum, one) => sum + shareOf(one, i), 0);
    return {
      type: 'bar' as const,
      name: `gamma ${gamma}`,
      xAxisIndex: 1,
      yAxisIndex: 1,
      data: shown.map((one) => (100 * shareOf(one, i)) / total),
    };
  });
  const left = classes.length - shown.length;
  const axis = { nameLocation: 'middle', nameTextStyle: { color: '#333' } } as const;
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    color: colors,
    textStyle: { fontFamily: 'system-ui, sans-serif', fontSize: 12 },
    title: [
      { text: `${name}: mean`, left: 10, top: 5, textStyle: { fontSize: 14 } },
      {
        text: `part of each class in it, without alpha${left > 0 ? `; ${left} more are not shown` : ''}`,
        left: 10,
        top: 385,
        textStyle: { fontSize: 14 },
      },
    ],
    legend: [
      { top: 30, itemGap: 24, data: lines.map(({ name }) => name) },
      { top: 410, itemGap: 24, data: bars.map(({ name }) => name) },
    ],
    grid: [
      { left: 70, right: 30, top: 65, height: 245 },
      { left: 70, right: 30, top: 445, height: 250 },
    ],
    xAxis: [
      { type: 'value', name: 'gamma', nameGap: 28, ...axis },
      {
        type: 'category',
        name: 'class',
        nameGap: 28,
        gridIndex: 1,
        data: shown.map((_, c) => c),
        ...axis,
      },
    ],
    yAxis: [
      { type: 'value', name: 'loss', nameGap: 50, ...axis },
      { type: 'value', name: '%', nameGap: 50, gridIndex: 1, ...axis },
    ],
    series: [...lines, ...bars],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

const shareOf = ({ positives, negatives }: Sweep['classes'][number], i: number): number =>
  (positives.loss[i] as number) + (negatives.loss[i] as number);
