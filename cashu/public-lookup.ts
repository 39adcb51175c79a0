import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { MintError } from './mint-error.ts';

/** As `dns.lookup` with `all`. */
export type Resolve = (
  host: string,
  options: { all: true; family?: number; hints?: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A `lookup` for sockets that leaves out addresses inside our own network. What it returns is what the socket connects to:
 * there is no second resolution for a name to change its mind at (DNS rebinding). Sockets don't look up what is an address
 * already: whoever lists a mint by address means that address.
 */
export function publicLookup(resolve: Resolve, isPrivate: (address: string) => boolean): LookupFunction {
  return (host, options, callback) => {
    const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
    resolve(host, { all: true, family, hints: options.hints ?? 0 }, (error, addresses) => {
      if (error) return callback(error, []);
      const open = addresses.filter(({ address }) => !isPrivate(address));
      const [first] = open;
      if (first === undefined) return callback(refusal(host), []);
      return options.all ? callback(null, open) : callback(null, first.address, first.family);
    });
  };
}

function refusal(host: string): MintError {
  return new MintError(
    'not_sent',
    `${host} is an address of a private network, which its mint's URL does not name`,
  );
}
