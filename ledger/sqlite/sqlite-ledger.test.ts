import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeLedger } from '../contract/describe-ledger.ts';
import { openLedger } from '../open-ledger.ts';

describeLedger('the SQLite ledger', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-'));
  return {
    connect: (clock) => openLedger(`sqlite://${join(folder, 'ledger.sqlite')}`, { clock }),
    remove: () => rm(folder, { recursive: true }),
  };
});
