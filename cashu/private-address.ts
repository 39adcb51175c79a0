import { BlockList, isIP } from 'node:net';

/** Special-purpose ranges of the IANA registries (RFC 6890 and successors) that no public mint can be on. */
const ranges = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '::/127',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

/** Names that only a private network resolves. */
const privateSuffixes = ['localhost', 'local', 'internal', 'lan', 'svc', 'home.arpa', 'test'];

/** @returns a predicate: is this literal address loopback, link-local, private or otherwise not on the public internet? */
export function privateAddresses(): (address: string) => boolean {
  const blocked = new BlockList();
  for (const range of ranges) {
    const [network, prefix] = range.split('/') as [string, string];
    blocked.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return (address) => {
    const family = isIP(address);
    // What is not an address can't be judged, so it is not connected to.
    return family === 0 || blocked.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/**
 * Does whoever wrote this host name mean a private network? Listing `http://127.0.0.1:3338` or `http://mint.pay.svc` says
 * so; listing `https://mint.example.com` does not, and if that name turns to 10.0.0.1 one day it is an attack on us.
 */
export function namesPrivateNetwork(host: string, isPrivate: (address: string) => boolean): boolean {
  const bare = host.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (isIP(bare) !== 0) return isPrivate(bare);
  return !bare.includes('.') || privateSuffixes.some((suffix) => bare.endsWith(`.${suffix}`));
}
