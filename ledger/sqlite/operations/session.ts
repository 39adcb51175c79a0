import type { Session, SessionBeat } from '../../session.ts';
import type { HoldId, Millis, ProviderId, SessionId } from '../../units.ts';
import type { Connection } from '../connection.ts';

/** How long (ms) a tombstone is kept: far longer than a reserve can be under way. */
const TOMBSTONE_LIFE = 86_400_000;

export function openSession(db: Connection) {
  const number = db.prepare<[], { number: bigint }>(
    'update meta set last_session = max(last_session, generation) + 1 returning last_session as number',
  );
  const insert = db.prepare(`
    insert into session (id, provider, number, counter, observed, fenced, opened_at)
    values (:id, :provider, :number, 0, 0, 0, :now)`);
  const forget = db.prepare('delete from tombstone where created_at < ?');

  return ({ id, provider }: { id: SessionId; provider: ProviderId }, now: Millis): Session => {
    forget.run(now - TOMBSTONE_LIFE);
    const session = { id, number: number.get()!.number };
    insert.run({ ...session, provider, now });
    return session;
  };
}

export function heartbeat(db: Connection) {
  const beat = db.prepare('update session set counter = counter + 1 where id = ? and fenced = 0');
  return (session: SessionId): 'alive' | 'fenced' => (beat.run(session).changes === 1 ? 'alive' : 'fenced');
}

export function observeSessions(db: Connection) {
  const write = db.prepare('update session set observed = observed + 1 where id = ?');
  const alive = db.prepare<[], SessionBeat>('select id, provider, counter from session where fenced = 0');
  return (observer: SessionId): SessionBeat[] => {
    write.run(observer);
    return alive.all();
  };
}

export function holdsOf(db: Connection) {
  const find = db.prepare<[SessionId], { id: HoldId }>('select id from hold where session = ?');
  return (session: SessionId): HoldId[] => find.all(session).map(({ id }) => id);
}
