// SPDX-License-Identifier: Apache-2.0

/** The parts of an image reference; `registry` and `repository` are empty when it is malformed. */
export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const MALFORMED: Reference = { registry: '', repository: '' };

const DOMAIN_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${DOMAIN_LABEL}(?:\\.${DOMAIN_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REGISTRY = new RegExp(`^${DOMAIN}$`);
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$/;
const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/;
const IMAGE_ID = /^[a-f0-9]{64}$/;
/** A name is `registry/repository`; longer ones no runtime accepts. */
const REPOSITORY_MAX_CHARACTERS = 255;
const REF_MAX_CHARACTERS = 1024;

/**
 * The parts of an image reference, as the kubelet's runtimes read it, with the defaults that they fill in: `nginx` is
 * `docker.io`, `library/nginx`. A tag that is not written is absent. ASCII only, no space around it.
 *
 * What is malformed has an empty registry and repository, so that no rule which allows registries by name allows it.
 *
 * @see https://pkg.go.dev/github.com/distribution/reference (grammar; ParseNormalizedNamed)
 */
export function parseReference(ref: string): Reference {
  if (ref.length > REF_MAX_CHARACTERS || IMAGE_ID.test(ref)) return MALFORMED;
  const [name = '', digest, ...rest] = ref.split('@');
  if (rest.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return MALFORMED;
  const [registryPart, remainder] = splitRegistry(name);
  const colon = remainder.indexOf(':');
  const path = colon < 0 ? remainder : remainder.slice(0, colon);
  const tag = colon < 0 ? undefined : remainder.slice(colon + 1);
  const registry = registryPart === 'index.docker.io' ? 'docker.io' : registryPart;
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  const isWell =
    REGISTRY.test(registry) &&
    REPOSITORY.test(repository) &&
    repository.length <= REPOSITORY_MAX_CHARACTERS &&
    (tag === undefined || TAG.test(tag));
  if (!isWell) return MALFORMED;
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Before the first slash is a registry if it looks like a host: a dot, a port, capitals, or `localhost`. */
function splitRegistry(name: string): readonly [registry: string, remainder: string] {
  const slash = name.indexOf('/');
  const host = name.slice(0, Math.max(slash, 0));
  const isHost = slash >= 0 && (/[.:]/.test(host) || host === 'localhost' || host !== host.toLowerCase());
  return isHost ? [host, name.slice(slash + 1)] : ['docker.io', name];
}
