import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Makes this process the only one at work in a folder, until it ends, however it ends: the lock is the kernel's, so a
 * `kill -9` leaves none behind.
 *
 * @throws Error that says what to do when another is at work there
 */
export function lockFolder(folder: string): Disposable {
  const database = new DatabaseSync(join(folder, 'lock'));
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch {
    database.close();
    throw new Error(
      `Another "make dev" is running in ${folder}. Stop it, or choose another folder with DEV_DIR.`,
    );
  }
  return { [Symbol.dispose]: () => database.close() };
}
