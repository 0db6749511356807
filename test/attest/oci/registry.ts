// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** One request as a registry of ours saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
}

/** Answers a request itself; false leaves it to the registry. */
export type Override = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A registry in this process: blobs and manifests in memory, and a test may answer in its place. */
export interface FakeRegistry {
  readonly host: string;
  readonly seen: Seen[];
  override: Override | undefined;
  /** Manifests by `repository:tag` and by digest. */
  readonly manifests: Map<string, Buffer>;
  readonly blobs: Map<string, Buffer>;
  close(): Promise<void>;
}

export const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Starts a registry on a free port of this machine, speaking http. */
export async function startRegistry(): Promise<FakeRegistry> {
  const registry = {
    host: '',
    seen: [] as Seen[],
    override: undefined as Override | undefined,
    manifests: new Map<string, Buffer>(),
    blobs: new Map<string, Buffer>(),
    close: () => close(server),
  };
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    registry.seen.push({ method, url, authorization: request.headers.authorization });
    if (registry.override?.(request, response) === true) return;
    void serve(registry, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  registry.host = `localhost:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return registry;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function serve(
  registry: FakeRegistry,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '' } = request;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  const manifest = /^\/v2\/(.+)\/manifests\/([^?]+)$/.exec(url);
  const blob = /^\/v2\/.+\/blobs\/(sha256:[0-9a-f]+)$/.exec(url)?.[1];
  const upload = /^\/upload\?digest=(.+)$/.exec(url)?.[1];
  if (manifest !== null)
    answerManifest(registry, { method, body, name: `${manifest[1]}:${manifest[2]}` }, response);
  else if (blob !== undefined) answer(response, registry.blobs.get(blob));
  else if (upload !== undefined) {
    registry.blobs.set(decodeURIComponent(upload), body);
    response.writeHead(201).end();
  } else if (url.endsWith('/blobs/uploads/')) response.writeHead(202, { location: '/upload' }).end();
  else response.writeHead(404).end();
}

function answerManifest(
  { manifests }: FakeRegistry,
  { method, body, name }: { method: string; body: Buffer; name: string },
  response: ServerResponse,
): void {
  if (method === 'PUT') {
    const repository = name.slice(0, name.lastIndexOf(':'));
    manifests.set(name, body);
    manifests.set(`${repository}:${digestOf(body)}`, body);
    response.writeHead(201).end();
    return;
  }
  const at = name.includes(':sha256:') ? name : name;
  answer(response, manifests.get(at));
}

function answer(response: ServerResponse, bytes: Buffer | undefined): void {
  if (bytes === undefined) response.writeHead(404).end();
  else response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
}
