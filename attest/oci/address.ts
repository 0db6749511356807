// SPDX-License-Identifier: Apache-2.0
import { type LookupAddress, lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { AttestError } from '../error.ts';

/** Which hosts may be spoken with. */
export interface NetworkRules {
  /** http instead of https, to loopback addresses only. */
  readonly plainHttp: boolean;
  /** Host names that may have a private address, without a port, in lower case. */
  readonly privateHosts: readonly string[];
  /** By host, with its port where it has one: the certificates (PEM) that alone prove it. Others are proved by Node's own. */
  readonly certificates?: ReadonlyMap<string, string>;
  /** Ends what is under way, and keeps more from being begun. */
  readonly signal?: AbortSignal;
}

type Kind = 'public' | 'private' | 'loopback' | 'forbidden';

const RANGES: readonly (readonly [Kind, string, number])[] = [
  ['loopback', '127.0.0.0', 8],
  ['loopback', '::1', 128],
  // Link-local: where clouds keep their metadata services. Nobody's registry lives there, nor in a multicast group.
  ['forbidden', '169.254.0.0', 16],
  ['forbidden', 'fe80::', 10],
  ['forbidden', '0.0.0.0', 8],
  ['forbidden', '::', 128],
  ['forbidden', '224.0.0.0', 3],
  ['forbidden', 'ff00::', 8],
  // Addresses of version 4 in disguise are judged by what they hide only where that is simple; tunnels are not.
  ['forbidden', '64:ff9b::', 32],
  ['forbidden', '2002::', 16],
  ['forbidden', '2001::', 32],
  ['private', '10.0.0.0', 8],
  ['private', '100.64.0.0', 10],
  ['private', '172.16.0.0', 12],
  ['private', '192.0.0.0', 24],
  ['private', '192.168.0.0', 16],
  ['private', '198.18.0.0', 15],
  ['private', 'fc00::', 7],
];

const LISTS = RANGES.map(([kind, network, prefix]) => {
  const list = new BlockList();
  list.addSubnet(network, prefix, familyOf(network));
  return { kind, list, family: familyOf(network) };
});

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** What kind of place an address is; a mapped address of version 4 is that address. */
export function addressKind(address: string): Kind {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const mapped = mappedAddress(bare) ?? bare;
  if (isIP(mapped) === 0) return 'forbidden';
  const family = familyOf(mapped);
  return LISTS.find((one) => one.family === family && one.list.check(mapped, family))?.kind ?? 'public';
}

/** The address inside `::ffff:a.b.c.d`, in whatever spelling. */
function mappedAddress(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const host = new URL(`http://[${address}]/`).hostname;
  const [, high, low] = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [left, right] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [left >> 8, left & 255, right >> 8, right & 255].join('.');
}

/**
 * Refuses an address that this host may not have: every answer of the name service must be allowed, and the connection goes to one
 * of those that were looked at, so that a second answer changes nothing.
 * @throws {AttestError} REGISTRY_ADDRESS
 */
export function checkAddress(host: string, address: string, rules: NetworkRules): void {
  const kind = addressKind(address);
  const isAllowed = rules.privateHosts.includes(host);
  if (kind === 'loopback' && (rules.plainHttp || isAllowed)) return;
  if (rules.plainHttp)
    throw refused(
      host,
      address,
      'http is spoken with this machine only',
      'leave --plain-http away to speak https',
    );
  if (kind === 'public' || (kind === 'private' && isAllowed)) return;
  throw refused(
    host,
    address,
    kind === 'forbidden' ? 'no registry has such an address' : 'it is a private address',
    kind === 'forbidden' ? 'check the name of the registry' : `allow it with --allow-private ${host}`,
  );
}

const refused = (host: string, address: string, why: string, hint: string): AttestError =>
  new AttestError('REGISTRY_ADDRESS', `host ${JSON.stringify(host)} has the address ${address}: ${why}`, {
    hint,
  });

/** A lookup for a connection that lets through only addresses that `checkAddress` does. */
export const guardedLookup =
  (host: string, rules: NetworkRules): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses: readonly LookupAddress[]) => {
      try {
        if (error !== null) throw error;
        for (const { address } of addresses) checkAddress(host, address, rules);
        const [first] = addresses;
        if (first === undefined) throw new Error('the name has no address');
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      } catch (cause) {
        callback(cause instanceof Error ? cause : new Error('lookup failed'), '', 0);
      }
    });
  };
