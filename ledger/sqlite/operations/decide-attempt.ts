import type { Connection } from '../connection.ts';

// Both need the attempt to be its redemption's latest: an older one's fate says nothing about the swap that runs now.
const undecided = "state = 'undecided' and attempt = :attempt";

export function rejectAttempt(db: Connection) {
  const freeInputs = db.prepare(`
    delete from proof where state = 'input'
      and redemption = (select token_hash from redemption where token_hash = (select token_hash from attempt where id = :attempt) and ${undecided})`);
  const reject = db.prepare(`
    update redemption set state = 'rejected', role = null
    where token_hash = (select token_hash from attempt where id = :attempt) and ${undecided}`);

  return (attempt: string): void => {
    freeInputs.run({ attempt });
    reject.run({ attempt });
  };
}

export function markSpentElsewhere(db: Connection) {
  const mark = db.prepare(`
    update redemption set state = 'spent_elsewhere'
    where token_hash = (select token_hash from attempt where id = :attempt) and ${undecided}`);

  return (attempt: string): void => {
    mark.run({ attempt });
  };
}
