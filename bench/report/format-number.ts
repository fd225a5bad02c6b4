const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Formats a number with three significant digits, and with commas between thousands: 12,345 · 123 · 1.23 · 0.0123. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0 || Math.abs(value) >= 100) return WHOLE.format(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 4));
}

/** Formats a value with its unit: `12,345/s`, `1.23 ms`. */
export function formatValue(value: number, unit: string): string {
  return `${formatNumber(value)}${unit === '' || unit.startsWith('/') ? '' : ' '}${unit}`;
}
