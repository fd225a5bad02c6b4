/** A chart that compares figures. */
export interface BarChart {
  title: string;
  subtitle: string;
  groups: readonly BarGroup[];
}

/** A group of bars that are compared with each other. */
export interface BarGroup {
  title: string;
  bars: readonly Bar[];
}

/** A row of the chart: a bar as long as `value`, and a line from `low` to `high`. */
export interface Bar {
  label: string;
  /** Landline, another contender, or a limit that no contender can exceed. */
  kind: 'own' | 'other' | 'limit';
  /** The text behind the bar: the value with its unit. */
  text: string;
  value: number;
  low: number;
  high: number;
}

const WIDTH = 880;
/** The position where the bars begin, and the position where the longest bar ends. */
const PLOT_START = 170;
const PLOT_END = 670;
const ROW = 26;
const BAR = 16;
const HEAD = 74;
const GROUP_HEAD = 30;
const AXIS = 30;
const FONT = 'font-family="-apple-system,Segoe UI,Helvetica,Arial,sans-serif"';
const FILLS = { own: '#1f6feb', other: '#bf8700', limit: '#8c959f' } as const;
const [DARK, GREY, PALE] = ['#24292f', '#57606a', '#d8dee4'];

/** The powers of ten at both ends of the axis. */
interface Scale {
  from: number;
  to: number;
}

/**
 * Draws horizontal bars as SVG, with a background of its own, so that light and dark pages can show it. The axis is logarithmic, because
 * the contenders differ a hundredfold.
 */
export function drawBarChart({ title, subtitle, groups }: BarChart): string {
  const scale = scaleOf(groups.flatMap(({ bars }) => bars));
  const bodies: string[] = [];
  let y = HEAD;
  for (const group of groups) {
    bodies.push(text({ x: 24, y: y + 20, size: 13, weight: 600, fill: GREY }, group.title));
    y += GROUP_HEAD;
    for (const bar of group.bars) {
      bodies.push(drawBar(bar, y, scale));
      y += ROW;
    }
  }
  const height = y + AXIS + 12;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" ${FONT}>`,
    `<title>${escapeText(title)}</title>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" fill="#ffffff" stroke="#d0d7de"/>`,
    text({ x: 24, y: 34, size: 18, weight: 600 }, title),
    text({ x: 24, y: 56, size: 13, fill: GREY }, `${subtitle} · logarithmic`),
    ...drawAxis(scale, y),
    ...bodies,
    '</svg>',
    '',
  ].join('\n');
}

function drawBar(bar: Bar, y: number, scale: Scale): string {
  const { label, kind, value, low, high } = bar;
  const middle = y + ROW / 2;
  const weight = kind === 'own' ? 600 : 400;
  const [end, a, b] = [value, low, high].map((each) => placeOf(each, scale));
  const whisker = `<path class="whisker" d="M${a} ${middle - 4}v8M${a} ${middle}H${b}M${b} ${middle - 4}v8" stroke="${DARK}" stroke-width="1.2" fill="none"/>`;
  return [
    text({ x: PLOT_START - 10, y: middle + 4, size: 13, anchor: 'end', weight }, label),
    `<rect class="bar" x="${PLOT_START}" y="${middle - BAR / 2}" width="${round((end ?? 0) - PLOT_START)}" height="${BAR}" fill="${FILLS[kind]}"/>`,
    ...(low === high ? [] : [whisker]),
    text({ x: round((b ?? 0) + 8), y: middle + 4, size: 12, weight }, bar.text),
  ].join('\n');
}

function drawAxis({ from, to }: Scale, end: number): string[] {
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => Number((10 ** (from + i)).toPrecision(12)));
  return ticks.flatMap((tick) => {
    const x = placeOf(tick, { from, to });
    return [
      `<path d="M${x} ${HEAD + 8}V${end}" stroke="${PALE}"/>`,
      text({ x, y: end + 18, size: 11, anchor: 'middle', fill: GREY }, tick.toLocaleString('en-US')),
    ];
  });
}

/** Chooses the ends of the axis: powers of ten below and above every value. So also the shortest bar is visible. */
function scaleOf(bars: readonly Bar[]): Scale {
  const all = bars.flatMap(({ value, low, high }) => [value, low, high]).filter((value) => value > 0);
  if (all.length === 0) return { from: 0, to: 1 };
  return { from: Math.ceil(Math.log10(Math.min(...all))) - 1, to: Math.ceil(Math.log10(Math.max(...all))) };
}

/** Computes the position of a value on the axis. A value that is not above 0 gets the start of the axis. */
function placeOf(value: number, { from, to }: Scale): number {
  const share = value > 0 ? Math.max(0, (Math.log10(value) - from) / (to - from)) : 0;
  return round(PLOT_START + share * (PLOT_END - PLOT_START));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

interface TextStyle {
  x: number;
  y: number;
  size: number;
  weight?: number;
  anchor?: 'end' | 'middle';
  fill?: string;
}

function text({ x, y, size, weight = 400, anchor, fill = DARK }: TextStyle, content: string): string {
  const at = anchor ? ` text-anchor="${anchor}"` : '';
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}"${at}>${escapeText(content)}</text>`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeText(content: string): string {
  return content.replaceAll(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}
