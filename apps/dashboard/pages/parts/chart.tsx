import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { chartOptions, chartText, type Line } from './chart-options.ts';
import type { Measure } from './measured.ts';

export interface ChartProps {
  /** Says what the curves show. */
  label: string;
  /** Start of the first span, unix seconds. */
  from: number;
  stepSeconds: number;
  lines: readonly Line[];
  measure: Measure;
}

/** Pixels, without the legend. The style sheet keeps the place for both, so that nothing moves when the curves come. */
const HEIGHT = 170;

/** What uPlot draws: the times, then the values of each line. */
function dataOf({ from, stepSeconds, lines }: ChartProps): uPlot.AlignedData {
  const length = lines[0]?.values.length ?? 0;
  const times = Array.from({ length }, (_, n) => from + n * stepSeconds);
  return [times, ...lines.map(({ values }) => [...values])];
}

/** Curves over time. uPlot is loaded when the first one is shown. */
export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const [draw, setDraw] = useState<typeof uPlot>();
  useEffect(() => {
    let isGone = false;
    // A console that was updated meanwhile no longer has this file: then the figures stand alone.
    import('./uplot.ts').then(
      ({ uPlot: loaded }) => isGone || setDraw(() => loaded),
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, []);
  const names = props.lines.map(({ name }) => name).join();
  useLayoutEffect(() => {
    const element = box.current;
    if (!draw || !element) return undefined;
    const make = (): uPlot =>
      new draw(chartOptions(props, { width: element.clientWidth, height: HEIGHT }), dataOf(props), element);
    plot.current = make();
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    sizes.observe(element);
    // The colours are those of the style sheet, which changes with the scheme.
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    function onScheme(): void {
      plot.current?.destroy();
      plot.current = make();
    }
    scheme.addEventListener('change', onScheme);
    return () => {
      sizes.disconnect();
      scheme.removeEventListener('change', onScheme);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [draw, names, props.stepSeconds]);
  const data = JSON.stringify(dataOf(props));
  useLayoutEffect(() => plot.current?.setData(dataOf(props)), [data]);
  return <div ref={box} class="chart" role="img" aria-label={chartText(props.label, props.lines, props.measure)} />;
}
