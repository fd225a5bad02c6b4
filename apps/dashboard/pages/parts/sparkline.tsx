import { countText } from './relative-time.ts';

interface SparklineProps {
  /** Equal spans of time, the oldest first. */
  values: readonly number[];
  /** What the curve is about, for those who cannot see it: "in the last 24 hours". */
  label: string;
  width?: number;
  height?: number;
}

/** A small curve of columns. It tells its sum, its peak and when that was to a screen reader. */
export function Sparkline({ values, label, width = 144, height = 32 }: SparklineProps) {
  const most = Math.max(1, ...values);
  const step = width / Math.max(1, values.length);
  const sum = values.reduce((total, value) => total + value, 0);
  const said = `${countText(sum)} ${label}${sum > 0 ? `, at most ${countText(most)} in one span` : ''}`;
  return (
    <svg
      class="sparkline"
      role="img"
      aria-label={said}
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
    >
      <title>{said}</title>
      <path class="sparkline-base" d={`M0 ${height - 0.5}H${width}`} />
      {values.map((value, index) => {
        if (value <= 0) return null;
        // One event of thousands is still seen.
        const tall = Math.max(2, (value / most) * (height - 2));
        return (
          <rect
            key={index}
            x={index * step + 0.5}
            y={height - 1 - tall}
            width={Math.max(1, step - 1)}
            height={tall}
            rx="1"
          />
        );
      })}
    </svg>
  );
}
