/** A picture of figures side by side. */
export interface BarChart {
  title: string;
  subtitle: string;
  groups: readonly BarGroup[];
}

/** Bars that are to be compared with each other. */
export interface BarGroup {
  title: string;
  bars: readonly Bar[];
}

/** One row. */
export interface Bar {
  label: string;
  /** Ours, another way to do the job, or a limit that nobody can pass. */
  kind: 'own' | 'other' | 'limit';
  /** What stands behind the bar: the value with its unit. */
  text: string;
  /** One length, or several laid over each other (p50, p99, p99.9). */
  lengths: readonly Length[];
}

/** A bar's end, and the spread over the rounds as its whisker. */
export interface Length {
  value: number;
  low: number;
  high: number;
}

const WIDTH = 880;
/** Where bars begin where labels are short, and where the longest ends. */
const LABELS = 170;
const PLOT_END = 670;
/** Of a label's letter, at most; and what stands before and behind it. */
const LETTER = 8;
const LABEL_MARGIN = 24;
const ROW = 26;
const BAR = 16;
const HEAD = 74;
const GROUP_HEAD = 30;
const AXIS = 30;
const FONT = 'font-family="-apple-system,Segoe UI,Helvetica,Arial,sans-serif"';
const FILLS = { own: '#1f6feb', other: '#bf8700', limit: '#8c959f' } as const;
/** From this ratio of the longest bar to the shortest on, the short ones would not be seen. */
const LOG_FROM = 50;

/** Where bars begin, where a value stands on the axis, from 0 to 1, and where the axis is marked. */
interface Scale {
  isLog: boolean;
  left: number;
  place: (value: number) => number;
  ticks: readonly number[];
}

/** Draws horizontal bars as SVG, on a ground of its own so that it reads on light pages and dark ones. */
export function drawBarChart({ title, subtitle, groups }: BarChart): string {
  const lengths = groups.flatMap(({ bars }) => bars.flatMap((bar) => bar.lengths));
  const labels = groups.flatMap(({ bars }) => bars.map(({ label }) => label.length));
  const left = Math.max(LABELS, Math.max(0, ...labels) * LETTER + LABEL_MARGIN);
  const scale = { ...chooseScale(lengths), left };
  const bodies: string[] = [];
  let y = HEAD;
  for (const group of groups) {
    bodies.push(text({ x: 24, y: y + 20, size: 13, weight: 600, fill: '#57606a' }, group.title));
    y += GROUP_HEAD;
    for (const bar of group.bars) {
      bodies.push(drawBar(bar, y, scale));
      y += ROW;
    }
  }
  const height = y + AXIS + 12;
  const note = scale.isLog ? `${subtitle} · logarithmic` : subtitle;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" ${FONT}>`,
    `<title>${escapeText(title)}</title>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" fill="#ffffff" stroke="#d0d7de"/>`,
    text({ x: 24, y: 34, size: 18, weight: 600 }, title),
    text({ x: 24, y: 56, size: 13, fill: '#57606a' }, note),
    ...drawAxis(scale, { from: HEAD + 8, to: y }),
    ...bodies,
    '</svg>',
    '',
  ].join('\n');
}

function drawBar({ label, kind, text: value, lengths }: Bar, y: number, scale: Scale): string {
  const top = y + (ROW - BAR) / 2;
  const middle = y + ROW / 2;
  // The longest first: each shorter one is laid over it, darker.
  const sorted = lengths.toSorted((a, b) => b.value - a.value);
  const bars = sorted.map(({ value: length }, i) => {
    const opacity = (i + 1) / sorted.length;
    return `<rect class="bar" x="${scale.left}" y="${top}" width="${pixels(length, scale)}" height="${BAR}" fill="${FILLS[kind]}" fill-opacity="${opacity.toFixed(2)}"/>`;
  });
  const end = scale.left + Math.max(0, ...lengths.map(({ high }) => pixels(high, scale)));
  return [
    text({ x: scale.left - 10, y: middle + 4, size: 13, anchor: 'end', weight: kind === 'own' ? 600 : 400 }, label),
    ...bars,
    ...lengths.map((length) => drawWhisker(length, middle, scale)),
    text({ x: end + 8, y: middle + 4, size: 12, weight: kind === 'own' ? 600 : 400 }, value),
  ].join('\n');
}

function drawWhisker({ low, high }: Length, y: number, scale: Scale): string {
  if (low === high) return '';
  const [a, b] = [scale.left + pixels(low, scale), scale.left + pixels(high, scale)];
  return `<path class="whisker" d="M${a} ${y - 4}v8M${a} ${y}H${b}M${b} ${y - 4}v8" stroke="#24292f" stroke-width="1.2" fill="none"/>`;
}

function drawAxis(scale: Scale, { from, to }: { from: number; to: number }): string[] {
  return scale.ticks.flatMap((tick) => {
    const x = scale.left + pixels(tick, scale);
    return [
      `<path d="M${x} ${from}V${to}" stroke="#d8dee4"/>`,
      text({ x, y: to + 18, size: 11, anchor: 'middle', fill: '#57606a' }, tick.toLocaleString('en-US')),
    ];
  });
}

function chooseScale(lengths: readonly Length[]): Omit<Scale, 'left'> {
  const all = lengths.flatMap(({ value, low, high }) => [value, low, high]).filter((value) => value > 0);
  const [least, greatest] = [Math.min(...all), Math.max(...all)];
  if (all.length === 0) return { isLog: false, place: () => 0, ticks: [0] };
  return greatest / least > LOG_FROM ? logScale(least, greatest) : linearScale(greatest);
}

function linearScale(greatest: number): Omit<Scale, 'left'> {
  const power = 10 ** Math.floor(Math.log10(greatest));
  const step = [0.2, 0.5, 1, 2].map((part) => part * power).find((size) => greatest / size <= 6) ?? power;
  const count = Math.ceil(greatest / step);
  const top = count * step;
  const ticks = Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
  return { isLog: false, place: (value) => value / top, ticks };
}

function logScale(least: number, greatest: number): Omit<Scale, 'left'> {
  const [bottom, top] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(greatest))];
  // Whole powers of ten at both ends; the shortest bar must still be seen.
  const from = 10 ** bottom === least ? bottom - 1 : bottom;
  const place = (value: number) => Math.max(0, (Math.log10(Math.max(value, 10 ** from)) - from) / (top - from));
  const ticks = Array.from({ length: top - from + 1 }, (_, i) => Number((10 ** (from + i)).toPrecision(12)));
  return { isLog: true, place, ticks };
}

function pixels(value: number, { place, left }: Scale): number {
  return round(place(value) * (PLOT_END - left));
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

function text({ x, y, size, weight = 400, anchor, fill = '#24292f' }: TextStyle, content: string): string {
  const at = anchor ? ` text-anchor="${anchor}"` : '';
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}"${at}>${escapeText(content)}</text>`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeText(content: string): string {
  return content.replaceAll(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}
