import { styleText } from 'node:util';
import { type Aim, type Missing, meetsAim, type Row } from './figure.ts';
import type { Spread } from './spread.ts';

/** @returns the rows as a table for people, in colour when `colour` */
export function table(rows: readonly (Row | Missing)[], colour: boolean): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const lines = [['', 'sidecar', 'beside it', 'ratio', 'aim', ''], ...rows.map(cells)];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line, index) => {
      const row = index === 0 ? undefined : rows[index - 1];
      return line
        .map((cell, column) => {
          const padded = column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
          if (index === 0) return paint('dim', padded);
          if (cell === '✓') return paint('green', padded);
          if (cell === '✗') return paint('red', padded);
          return row && 'missing' in row ? paint('dim', padded) : padded;
        })
        .join('  ')
        .trimEnd();
    })
    .join('\n');
}

function cells(row: Row | Missing): string[] {
  if ('missing' in row) return [row.what, row.missing, '', '', '', ''];
  const { what, unit, value, beside, aim } = row;
  const good = meetsAim(row);
  return [
    what,
    `${shown(value)} ${unit}`,
    beside ? `${beside.what} ${shown(beside.value)} ${unit}` : '',
    beside ? `${shown(beside.ratio)} ×` : '',
    aim ? aimText(aim, unit) : '',
    good === undefined ? '' : good ? '✓' : '✗',
  ];
}

/** The median and, where there were several rounds, the least and the most. */
function shown({ median, min, max }: Spread): string {
  return min === max ? digits(median) : `${digits(median)} (${digits(min)}–${digits(max)})`;
}

function digits(value: number): string {
  if (value >= 100) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

function aimText({ of, most, least }: Aim, unit: string): string {
  const sign = most === undefined ? '≥' : '≤';
  return `${sign} ${most ?? least} ${of === 'ratio' ? '×' : unit}`;
}
