import type { Attempt, RedemptionState } from '../../redemption.ts';
import type { Msat, ProviderId, SessionId, Unit } from '../../units.ts';
import type { Connection } from '../connection.ts';

interface AttemptRow {
  id: string;
  token_hash: string;
  provider: ProviderId;
  session: SessionId;
  fenced: bigint | null;
  state: RedemptionState;
  mint: string;
  unit: Unit;
  gross: Msat;
  fee: Msat;
  outputs: string;
  created_at: bigint;
}

const select = `
  select t.id, t.token_hash, t.provider, t.session, s.fenced, r.state, r.mint, r.unit, t.gross, t.fee, t.outputs, t.created_at
  from attempt t join redemption r on r.token_hash = t.token_hash left join session s on s.id = t.session`;

export function attemptsOnInputs(db: Connection) {
  const ids = db.prepare<[string], { attempt: string }>('select attempt from attempt_input where y = ?');
  const find = db.prepare<[string], AttemptRow>(`${select} where t.id = ?`);
  const complete = completion(db);

  return (ys: readonly string[]): Attempt[] => {
    const named = new Set(ys.flatMap((y) => ids.all(y).map(({ attempt }) => attempt)));
    return [...named].map((id) => complete(find.get(id)!)).sort((a, b) => a.createdAt - b.createdAt);
  };
}

export function undecidedAttempts(db: Connection) {
  const find = db.prepare<{ provider: ProviderId; limit: number }, AttemptRow>(`
    ${select} where r.provider = :provider and r.state = 'undecided' and t.id = r.attempt order by t.created_at, t.id limit :limit`);
  const complete = completion(db);

  return (request: { provider: ProviderId; limit: number }): Attempt[] => find.all(request).map(complete);
}

function completion(db: Connection) {
  const inputs = db.prepare<[string], { y: string }>(
    'select y from attempt_input where attempt = ? order by n',
  );
  return ({ id, token_hash, fenced, created_at, ...same }: AttemptRow): Attempt => ({
    id,
    tokenHash: token_hash,
    ...same,
    sessionDead: fenced !== 0n,
    inputYs: inputs.all(id).map(({ y }) => y),
    createdAt: Number(created_at),
  });
}
