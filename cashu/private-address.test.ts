import { expect, test } from 'vitest';
import { namesPrivateNetwork, privateAddresses } from './private-address.ts';

const isPrivate = privateAddresses();

test.each([
  '127.0.0.1',
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '192.168.1.1',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'fd00::1',
  'fe80::1',
  'not an address',
])('%s is not on the public internet', (address) => {
  expect(isPrivate(address)).toBe(true);
});

test.each(['1.1.1.1', '172.32.0.1', '9.9.9.9', '2606:4700:4700::1111', '::ffff:1.1.1.1'])(
  '%s is',
  (address) => {
    expect(isPrivate(address)).toBe(false);
  },
);

test.each([
  ['127.0.0.1', true],
  ['[::1]', true],
  ['localhost', true],
  ['mint', true],
  ['mint.pay.svc', true],
  ['mint.pay.svc.cluster.local', true],
  ['mint.internal', true],
  ['1.1.1.1', false],
  ['mint.example.com', false],
  ['localhost.example.com', false],
  ['mint.example.com.', false],
])('listing %s means a private network: %s', (host, means) => {
  expect(namesPrivateNetwork(host, isPrivate)).toBe(means);
});
