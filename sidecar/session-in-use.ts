/** This process as the ledger knows it now. */
export interface SessionInUse {
  id(): string;
  /** False when the ledger has not been heard for so long that a reaper may have ended this process's holds. */
  trusted(): boolean;
}
