import type { AuditReport, Book, Violation } from '../ledger/index.ts';

type Colour = 'red' | 'green' | 'bold' | 'dim';
type Paint = (colour: Colour, text: string) => string;

const codes: Record<Colour, number> = { red: 31, green: 32, bold: 1, dim: 2 };

const rules: Record<Violation['rule'], string> = {
  books_balance: 'what came in is not what there is',
  balance_is_sum_of_entries: 'the balance of key %s is not the sum of its entries',
  reserved_is_sum_of_holds: 'what key %s has reserved is not the sum of its holds',
  earning_is_sum_of_charges: 'what %s earned is not the sum of its charges',
  nothing_negative: '%s has less than nothing, or holds more than it has',
  held_covers_owed: 'the proofs held do not cover what is owed',
  hold_ended_once: 'hold %s has ended and is still there',
};

/** One screen: where every msat went, per mint and unit, and whether that is all of them. */
export function auditScreen(report: AuditReport, colour: boolean): string {
  const paint: Paint = (name, text) => (colour ? `\u001b[${codes[name]}m${text}\u001b[0m` : text);
  const books = report.books.map((book) => bookLines(book, paint));
  if (books.length === 0) books.push([paint('dim', 'Nothing was paid in yet.')]);
  const counts = `${report.accounts} accounts, ${report.entries} entries, ${report.undecided} redemptions undecided`;
  const verdict = report.balanced
    ? paint('green', '✓ The books balance.')
    : paint('red', '✗ The books do not balance:');
  return [
    ...books.map((lines) => lines.join('\n')),
    [
      paint('dim', counts),
      verdict,
      ...report.violations.map((violation) => violationLine(violation, paint)),
    ].join('\n'),
    '',
  ].join('\n\n');
}

function bookLines(book: Book, paint: Paint): string[] {
  const even = book.difference === 0n;
  const covered = book.held >= book.owed;
  return [
    paint('bold', `${`${book.mint} (${book.unit})`.padEnd(58)}msat`),
    line('in: tokens and Lightning', book.credited),
    line('  balances', book.balances, `held by running requests: ${grouped(book.reserved)}`),
    line('  earned', book.earned, `paid out: ${grouped(book.paidOut)}, fees: ${grouped(book.fees)}`),
    line('  refunded', book.refunded, `not minted yet: ${grouped(book.refundsPending)}`),
    paint(even ? 'green' : 'red', line('difference', book.difference)),
    line('proofs held', book.held),
    paint(covered ? 'green' : 'red', line('  owed against them', book.owed)),
  ];
}

function line(label: string, amount: bigint, remark?: string): string {
  return `${label.padEnd(38)}${grouped(amount).padStart(24)}${remark === undefined ? '' : `   ${remark}`}`;
}

function violationLine({ rule, subject, expected, actual }: Violation, paint: Paint): string {
  const text = rules[rule].includes('%s') ? rules[rule].replace('%s', subject) : `${subject}: ${rules[rule]}`;
  return paint('red', `  ${text} (${grouped(expected)} expected, ${grouped(actual)} found)`);
}

/** 1234567 → 1 234 567 */
function grouped(amount: bigint): string {
  return amount.toString().replace(/\B(?=(\d{3})+$)/g, ' ');
}
