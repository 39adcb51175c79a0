import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { MintError } from './mint-error.ts';

type Callback = (
  error: NodeJS.ErrnoException | null,
  address: LookupAddress[] | string,
  family?: number,
) => void;

/**
 * A `lookup` for sockets that leaves out addresses inside our own network. What it returns is what the socket connects to:
 * there is no second resolution for a name to change its mind at (DNS rebinding). Sockets don't look up what is an address
 * already: whoever lists a mint by address means that address.
 */
export function publicLookup(isPrivate: (address: string) => boolean): LookupFunction {
  return ((host: string, options: LookupOptions, callback: Callback) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const open = addresses.filter(({ address }) => !isPrivate(address));
      if (open.length === 0) return callback(refusal(host), []);
      return options.all ? callback(null, open) : callback(null, open[0]!.address, open[0]!.family);
    });
  }) as LookupFunction;
}

function refusal(host: string): MintError {
  return new MintError(
    'not_sent',
    `${host} is an address of a private network, which its mint's URL does not name`,
  );
}
