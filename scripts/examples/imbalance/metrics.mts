import { ConfusionMatrix } from 'ml-confusion-matrix';
import { mean } from 'simple-statistics';

/** Precision and recall if everything that scores at least `threshold` is called positive. */
export interface Point {
  threshold: number;
  precision: number;
  recall: number;
}

/** The precision-recall curve, from the highest threshold down, one point for each score. */
export function precisionRecall(
  scores: ArrayLike<number>,
  isPositive: (row: number) => boolean,
): Point[] {
  const ranked = Array.from(scores, (score, row) => ({ score, positive: isPositive(row) }));
  ranked.sort((a, b) => b.score - a.score);
  const positives = ranked.filter(({ positive }) => positive).length;
  const points: Point[] = [];
  let found = 0;
  for (const [i, { score, positive }] of ranked.entries()) {
    if (positive) found++;
    if (ranked[i + 1]?.score !== score) {
      points.push({ threshold: score, precision: found / (i + 1), recall: found / positives });
    }
  }
  return points;
}

/** The area under the curve as a sum of steps, without interpolation. */
export function averagePrecision(points: Point[]): number {
  return points.reduce((area, { precision, recall }, i) => {
    return area + (recall - (points[i - 1]?.recall ?? 0)) * precision;
  }, 0);
}

/** The threshold with the best F1. */
export function bestThreshold(points: Point[]): number {
  const f1 = ({ precision: p, recall: r }: Point): number =>
    p + r > 0 ? (2 * p * r) / (p + r) : 0;
  return points.reduce((best, point) => (f1(point) > f1(best) ? point : best)).threshold;
}

/** The precision where the curve first reaches each recall. */
export function precisionAt(points: Point[], recalls: number[]): number[] {
  return recalls.map(
    (wanted) => points.find(({ recall }) => recall >= wanted - 1e-9)?.precision ?? 0,
  );
}

export interface Decisions {
  /** The mean F1 of the classes that count. */
  f1: number;
  /** For each class. */
  recalls: number[];
  accuracy: number;
}

export function judge(actual: Int32Array, predicted: number[], counted: number[]): Decisions {
  const matrix = ConfusionMatrix.fromLabels([...actual], predicted);
  const labels = [...new Set(actual)].sort((a, b) => a - b);
  return {
    f1: mean(counted.map((id) => matrix.getF1Score(id))),
    recalls: labels.map((id) => matrix.getTruePositiveRate(id)),
    accuracy: matrix.accuracy,
  };
}
