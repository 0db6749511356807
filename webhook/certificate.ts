// SPDX-License-Identifier: Apache-2.0
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { chmod, copyFile, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { WebhookError } from './error.ts';
import { issueCertificate } from './x509.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const RENEW_BEFORE_MS = 30 * DAY_MS;
const CA_LIFETIME_MS = 3652 * DAY_MS;
const LEAF_LIFETIME_MS = 365 * DAY_MS;
/** How far the clock of a node may lag behind the one that issued the certificate. */
const CLOCK_SKEW_MS = 60 * 60 * 1000;
const LOCAL_HOSTS = ['127.0.0.1', '::1', 'localhost'] as const;

/** A certificate to serve with, all PEM. `cert` is the leaf alone; `caCert` is what a webhook configuration's caBundle holds. */
export interface ServingCertificate {
  readonly key: string;
  readonly cert: string;
  readonly caCert: string;
  readonly notAfter: Date;
  /** The CA was made anew, the old one having come to its end: the webhook configuration has to be applied again. */
  readonly caReplaced: boolean;
  /** The clock is before the certificate begins: it is wrong now, or it was when the certificate was made. */
  readonly clockBehind: boolean;
}

/** A key and its certificate as they stand in one file, so that a crash can never part them. */
interface Identity {
  readonly key: KeyObject;
  readonly keyPem: string;
  readonly certificate: X509Certificate;
  readonly certificatePem: string;
}

/**
 * Returns the server's certificate of a state folder: made on first use, kept while it covers `names` and was issued by
 * the CA beside it, renewed when fewer than 30 days remain. The CA (10 years) stays, so that a caBundle stays true; one
 * that ends is kept as `ca.pem.old`. Files `ca.pem` and `server.pem` (key and certificate) are written whole and with mode 0600.
 * @param o.names host names and addresses beside 127.0.0.1, ::1 and localhost; wildcard addresses are left out
 * @throws {WebhookError} STATE_UNUSABLE (unreadable, damaged, not writable) | HOST_NAME
 */
export async function ensureCertificate(o: {
  readonly directory: string;
  readonly names: readonly string[];
  readonly now: Date;
}): Promise<ServingCertificate> {
  const hosts = hostsOf(o.names);
  await prepare(o.directory);
  const caFile = join(o.directory, 'ca.pem');
  const found = await readIdentity(caFile);
  const caReplaced = found !== undefined && !lasts(found, o.now);
  if (caReplaced) await keepOld(caFile);
  const ca = found === undefined || caReplaced ? await makeCa(caFile, o.now, caReplaced) : found;
  const leafFile = join(o.directory, 'server.pem');
  const kept = await readIdentity(leafFile);
  // A name that was asked for once stays: what registered the webhook is not asked again when its certificate is renewed.
  const all = kept === undefined ? hosts : [...new Set([...hosts, ...namesIn(kept)])].sort();
  const leaf =
    kept !== undefined && serves(kept, ca, all, o.now) ? kept : await makeLeaf(leafFile, ca, all, o.now);
  return {
    key: leaf.keyPem,
    cert: leaf.certificatePem,
    caCert: ca.certificatePem,
    notAfter: leaf.certificate.validToDate,
    caReplaced,
    clockBehind: [ca, leaf].some(({ certificate }) => certificate.validFromDate > o.now),
  };
}

/** The names a certificate is made for, normal form, no doubles, sorted. */
function hostsOf(given: readonly string[]): readonly string[] {
  const hosts = new Set<string>(LOCAL_HOSTS);
  for (const host of given) {
    const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
    if (bare === '0.0.0.0' || bare === '::') continue;
    if (isIP(bare) === 0 && !isDnsName(bare))
      throw new WebhookError('HOST_NAME', `${JSON.stringify(host)} is neither a host name nor an IP address`);
    hosts.add(bare);
  }
  return [...hosts].sort();
}

/** The names and addresses of a certificate of ours, in the form that `hostsOf` gives them. */
function namesIn({ certificate }: Identity): readonly string[] {
  const stated = (certificate.subjectAltName ?? '').split(', ');
  const names = stated.flatMap((entry) => /^(?:DNS|IP Address):([0-9A-Za-z.:-]+)$/.exec(entry)?.[1] ?? []);
  return hostsOf(names.map((name) => (isIP(name) === 6 ? new URL(`https://[${name}]`).hostname : name)));
}

function isDnsName(text: string): boolean {
  const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
  return text.length <= 253 && text.split('.').every((part) => label.test(part));
}

async function prepare(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unusable(directory, 'cannot be made', cause);
  }
}

/** Reads a key and its certificate. Damaged is an error: a CA replaced in silence would turn every admission away. */
async function readIdentity(file: string): Promise<Identity | undefined> {
  let pem: string;
  try {
    pem = await readFile(file, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw unusable(file, 'cannot be read', cause);
  }
  try {
    return identityOf(pem);
  } catch (cause) {
    throw unusable(file, 'does not hold a key and its certificate', cause);
  }
}

function identityOf(pem: string): Identity {
  const at = pem.indexOf('-----BEGIN CERTIFICATE-----');
  const keyPem = pem.slice(0, at);
  const certificatePem = pem.slice(at);
  const key = createPrivateKey(keyPem);
  const certificate = new X509Certificate(certificatePem);
  if (!certificate.checkPrivateKey(key)) throw new Error('the key is not that of the certificate');
  return { key, keyPem, certificate, certificatePem };
}

// A certificate that has not begun is kept: a clock that is wrong for an hour must not cost the CA that a cluster trusts.
function lasts({ certificate }: Identity, now: Date): boolean {
  return certificate.validToDate.getTime() - now.getTime() >= RENEW_BEFORE_MS;
}

function serves(leaf: Identity, ca: Identity, hosts: readonly string[], now: Date): boolean {
  const { certificate } = leaf;
  if (!lasts(leaf, now) || !certificate.verify(createPublicKey(ca.key))) return false;
  return hosts.every(
    (host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined,
  );
}

/** A clock that ran ahead ends a CA too early; then the old one is put back by hand. */
async function keepOld(file: string): Promise<void> {
  try {
    await copyFile(file, `${file}.old`);
  } catch (cause) {
    throw unusable(`${file}.old`, 'cannot be written', cause);
  }
}

async function makeCa(file: string, now: Date, replace: boolean): Promise<Identity> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // A name of its own, so that two CAs in one caBundle are never taken for one another.
  const commonName = `countersign CA ${now.toISOString().slice(0, 10)} ${randomName(publicKey)}`;
  const period = { notBefore: before(now), notAfter: new Date(now.getTime() + CA_LIFETIME_MS) };
  const pem = await issueCertificate({ commonName, publicKey, ...period }, { commonName, privateKey });
  const made = await writeIdentity(file, privateKey, pem, replace);
  // Another process was first: its CA is the one.
  return made ?? (await readIdentity(file)) ?? raise(unusable(file, 'vanished while it was read'));
}

async function makeLeaf(file: string, ca: Identity, hosts: readonly string[], now: Date): Promise<Identity> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const end = Math.min(now.getTime() + LEAF_LIFETIME_MS, ca.certificate.validToDate.getTime());
  const pem = await issueCertificate(
    { commonName: 'countersign', publicKey, notBefore: before(now), notAfter: new Date(end), hosts },
    { commonName: ca.certificate.subject.replace(/^CN=/, ''), privateKey: ca.key },
  );
  const made = await writeIdentity(file, privateKey, pem, true);
  return made ?? raise(unusable(file, 'cannot be written'));
}

const before = (now: Date): Date => new Date(now.getTime() - CLOCK_SKEW_MS);

const randomName = (key: KeyObject): string =>
  key.export({ type: 'spki', format: 'der' }).subarray(-4).toString('hex');

/** Writes whole or not at all; without `replace` an existing file wins and undefined is returned. */
async function writeIdentity(
  file: string,
  key: KeyObject,
  certificatePem: string,
  replace: boolean,
): Promise<Identity | undefined> {
  const pem = `${key.export({ type: 'pkcs8', format: 'pem' })}${certificatePem}`;
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    await handle.writeFile(pem);
    await handle.sync();
    await handle.close();
    await chmod(temporary, 0o600);
    if (replace) await rename(temporary, file);
    else await link(temporary, file);
    return identityOf(pem);
  } catch (cause) {
    if (!replace && systemCode(cause) === 'EEXIST') return undefined;
    throw unusable(file, 'cannot be written', cause);
  } finally {
    await rm(temporary, { force: true });
  }
}

function unusable(path: string, what: string, cause?: unknown): WebhookError {
  const hint =
    'name a folder of your own with --state; to start anew remove ca.pem and server.pem, then apply --print-manifest again';
  return new WebhookError('STATE_UNUSABLE', `${JSON.stringify(path)} ${what}`, { hint, cause });
}

function systemCode(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}

function raise(error: Error): never {
  throw error;
}
