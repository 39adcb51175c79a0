import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { describeAccounts } from './accounts.ts';
import { describeHistories } from './histories.ts';
import { describeHolds } from './holds.ts';
import { describeRedemptions } from './redemptions.ts';
import { describeRefunds } from './refunds.ts';
import { describeRequests } from './requests.ts';
import { describeSessions } from './sessions.ts';
import { type Database, World } from './world.ts';

/**
 * What any adapter must do. It knows nothing but the interface: two connections stand for two processes, and after
 * each test the books must balance.
 */
export function describeLedger(name: string, open: () => Promise<Database>): void {
  describe(name, () => {
    let database: Database;
    let world: World;

    beforeAll(async () => {
      database = await open();
      world = await World.on(database);
    });
    afterEach(() => world.expectBalanced());
    afterAll(async () => {
      await world.ledger.close();
      await database.remove();
    });

    const inWorld = () => world;
    describe('holds', () => describeHolds(inWorld));
    describe('sessions', () => describeSessions(inWorld, () => database));
    describe('accounts and child keys', () => describeAccounts(inWorld));
    describe('requests paid by a token', () => describeRequests(inWorld));
    describe('redemptions', () => describeRedemptions(inWorld));
    describe('refunds and invoices', () => describeRefunds(inWorld));
    describe('histories', () => describeHistories(inWorld, () => database));
  });
}
