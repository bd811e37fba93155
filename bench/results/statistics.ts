/** The few statistics a comparison needs. All take samples in any order and leave them alone. */

/** Median, extremes and quartiles of one workload's samples. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly samples: readonly number[];
}

/** The value that a fraction of the samples lies below, by linear interpolation. @throws RangeError without samples. */
export function quantile(samples: readonly number[], fraction: number): number {
  if (samples.length === 0) throw new RangeError("a quantile needs samples");
  const sorted = [...samples].sort((a, b) => a - b);
  const place = (sorted.length - 1) * fraction;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

export function summarise(samples: readonly number[]): Summary {
  return {
    median: median(samples),
    min: quantile(samples, 0),
    max: quantile(samples, 1),
    lowerQuartile: quantile(samples, 0.25),
    upperQuartile: quantile(samples, 0.75),
    samples: [...samples],
  };
}

/** How far the samples reach around their median, as a fraction of it: (max - min) / median. */
export function spread({ median, min, max }: Summary): number {
  return median === 0 ? 0 : (max - min) / median;
}

/** The geometric mean of positive values; NaN without any. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
