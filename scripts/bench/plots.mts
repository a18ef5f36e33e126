// Figures of a run as SVG.
import * as echarts from 'echarts';
import type { Curve } from './growth.mjs';
import type { MeasuredRow } from './results.mjs';

const width = 820;

function render(option: echarts.EChartsOption, height: number): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    textStyle: { fontFamily: 'system-ui, sans-serif', fontSize: 12 },
    ...option,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

const axisName = {
  nameLocation: 'middle',
  nameTextStyle: { fontSize: 12, color: '#333' },
} as const;
const colors = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#777'];
const symbols = ['circle', 'triangle', 'rect', 'diamond', 'pin'];

/** Speed of each workload as a part of what a plain copy has. */
export function speedPlot(rows: readonly MeasuredRow[]): string {
  // Nearly all are of both, which the axis says: names would have no room.
  const labels = rows.map(({ title }) => title.replace(' value and gradient', ''));
  return render(
    {
      grid: { left: 490, right: 50, top: 10, bottom: 45 },
      xAxis: {
        type: 'value',
        name: 'value and gradient, of the speed of a plain copy',
        nameGap: 28,
        ...axisName,
      },
      yAxis: {
        type: 'category',
        data: labels,
        inverse: true,
        axisLabel: { fontSize: 11 },
      },
      series: [
        {
          type: 'bar',
          data: rows.map(({ ofCopySpeed }) => Number(ofCopySpeed.toFixed(3))),
          itemStyle: { color: colors[0] as string },
          label: { show: true, position: 'right', formatter: '{c}', fontSize: 11 },
        },
      ],
    },
    60 + 18 * rows.length,
  );
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** 1000 as 10³. */
function powerOfTen(value: number): string {
  const exponent = `${Math.round(Math.log10(value))}`;
  return `10${exponent.replaceAll(/\d/g, (digit) => superscripts[Number(digit)] as string).replace('-', '⁻')}`;
}

/** Time of a call by elements, both in powers of ten; a straight line of slope 1 is cost that grows as they do. */
export function growthPlot(curves: readonly Curve[]): string {
  return render(
    {
      legend: { top: 5, itemGap: 16 },
      grid: { left: 70, right: 30, top: 45, bottom: 50 },
      xAxis: {
        ...{ type: 'log', name: 'elements', nameGap: 30, min: 1e3, ...axisName },
        axisLabel: { formatter: powerOfTen },
      },
      yAxis: {
        ...{ type: 'log', name: 'ms, value and gradient', nameGap: 50, ...axisName },
        axisLabel: { formatter: powerOfTen },
      },
      series: curves.map(({ name, points }, i) => ({
        type: 'line',
        name,
        symbol: symbols[i] as string,
        symbolSize: 7,
        itemStyle: { color: colors[i] as string },
        data: points.map(({ elements, milliseconds }) => [elements, milliseconds]),
      })),
    },
    420,
  );
}

/** Memory of a process as time goes on. */
export function memoryPlot(
  samples: readonly (readonly [seconds: number, megabytes: number])[],
): string {
  return render(
    {
      grid: { left: 70, right: 30, top: 20, bottom: 50 },
      xAxis: { type: 'value', name: 'seconds', nameGap: 30, ...axisName },
      yAxis: { type: 'value', name: 'MB of the process', nameGap: 50, ...axisName },
      series: [
        {
          type: 'line',
          symbol: 'none',
          itemStyle: { color: colors[0] as string },
          data: samples.map(([seconds, megabytes]) => [seconds, megabytes]),
        },
      ],
    },
    300,
  );
}
