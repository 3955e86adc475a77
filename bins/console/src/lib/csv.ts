/** CSV as RFC 4180 has it, made so that a spreadsheet takes no cell for a formula. */

export type Cell = string | number | null | undefined;

/** The characters with which a formula can start, and those that spreadsheets skip before one (OWASP, CSV injection). */
const FORMULA_START = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/;

function cell(value: Cell): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA_START.test(value) ? `'${value}` : value;
  return /[",\r\n\t;]/.test(text) || text !== text.trim() || text.startsWith("'")
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}

/** Begins with a byte order mark: without one, spreadsheets take UTF-8 for something else. */
export function toCsv(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const lines = [header.map(cell).join(',')];
  for (const row of rows) lines.push(row.map(cell).join(','));
  return `\ufeff${lines.join('\r\n')}\r\n`;
}
