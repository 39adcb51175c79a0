import type { Fault } from './faults.ts';
import type { BlindSignature } from './messages.ts';

type Reply = { signatures?: BlindSignature[]; change?: BlindSignature[]; outputs?: unknown[] };

/** The reply as the faults want it, `reply` itself untouched. */
export function spoil(reply: unknown, faults: readonly Fault[]): unknown {
  return faults.reduce((spoilt, fault) => {
    if (fault.kind === 'restore') return forget(spoilt as Reply, fault.finds);
    if (fault.kind === 'signatures') return distort(spoilt as Reply, fault.defect);
    return spoilt;
  }, reply);
}

function forget(reply: Reply, finds: 'nothing' | 'half'): Reply {
  const keep = (_: unknown, index: number) => finds === 'half' && index % 2 === 0;
  return {
    ...reply,
    outputs: (reply.outputs ?? []).filter(keep),
    signatures: (reply.signatures ?? []).filter(keep),
  };
}

function distort(reply: Reply, defect: Extract<Fault, { kind: 'signatures' }>['defect']): Reply {
  const name = reply.change === undefined ? 'signatures' : 'change';
  const signatures = reply[name];
  if (signatures === undefined || signatures.length === 0) return reply;
  if (defect === 'missing') return { ...reply, [name]: signatures.slice(1) };
  return { ...reply, [name]: signatures.map((signature) => distorted(signature, defect)) };
}

function distorted(
  signature: BlindSignature,
  defect: 'wrong_dleq' | 'no_dleq' | 'wrong_amount' | 'wrong_keyset',
) {
  const { dleq, ...rest } = signature;
  switch (defect) {
    case 'no_dleq':
      return rest;
    case 'wrong_dleq':
      return { ...rest, dleq: { e: dleq!.s, s: dleq!.e } };
    case 'wrong_amount':
      return { ...signature, amount: signature.amount * 2 };
    case 'wrong_keyset':
      return { ...signature, id: `${signature.id.slice(0, -8)}00000000` };
  }
}
