// SPDX-License-Identifier: Apache-2.0
// Sections of the Project that others read as they are.

/** Which attestations are looked for. Whoever is trusted for `provenance` in this environment may have signed them. */
export interface Attestations {
  /** `host[:port][/path]` of images that are looked at; of others nothing is known, and nobody is asked. */
  readonly registries: readonly string[];
  /** Predicate types. Others are left where they are. */
  readonly types: readonly string[];
  /** File of a Sigstore trusted root; without one, or a `tuf`, no certificate and no log is trusted. */
  readonly trustedRoot?: string;
  /** Where the trusted root is fetched from instead, by The Update Framework. */
  readonly tuf?: TufSource;
  /** Whether a trusted log must hold each signature; true where it is not stated. */
  readonly log?: boolean;
  /** Whether an admission waits for a registry, or is told to come again; `prepared` where it is not stated. */
  readonly fetch?: 'prepared' | 'live';
}

/** A TUF repository with the trusted root of a Sigstore instance: the public-good one where no mirror is named. */
export interface TufSource {
  readonly mirror?: string;
  /** File of the root metadata to begin with. Needs a mirror, and a mirror that is not the public-good one needs it. */
  readonly root?: string;
  /** Nothing is fetched: the root that was good last, or that came with the program, serves until its metadata expires. */
  readonly offline?: boolean;
}

/** How one registry is reached. */
export interface Registry {
  /** Host with its port where it has one, exactly. */
  readonly host: string;
  /** `host[:port][/prefix]` that are asked first for attestations, in order. */
  readonly mirrors?: readonly string[];
  /** The registry itself is not asked. */
  readonly mirrorsOnly?: boolean;
  /** File of the certificates (PEM) that alone prove it. */
  readonly certificates?: string;
  /** It may have a private address. */
  readonly private?: boolean;
}

/** A custom kind's scope, as its CustomResourceDefinition has it. */
export interface CustomKind {
  readonly group: string;
  readonly kind: string;
  readonly scope: 'Namespaced' | 'Cluster';
}

/** Who issues the id tokens that are believed. */
export interface ProjectIssuer {
  readonly name: string;
  /** As a token has it under `iss`, compared as text. */
  readonly issuer: string;
  /** The one audience that its tokens must be for. */
  readonly audience: string;
  /** How what it says of a job is read. */
  readonly kind: 'gitlab' | 'github' | 'generic';
  /** Its public keys: a file, or what it publishes; `private` lets its host have a private address. */
  readonly jwks: { readonly file: string } | { readonly url: string; readonly private?: boolean };
}

/** The ledger: its folder, or a database that several servers share, whose key is in that folder. */
export interface LedgerSettings {
  readonly directory: string;
  /** `postgres://…` */
  readonly url?: string;
  /** What becomes of a decision whose record the ledger cannot commit now: it is denied (the default), or the record waits in the spool. */
  readonly onFailure?: 'deny' | 'spool';
  /** The folder of the spool; by default that of the ledger. */
  readonly spool?: string;
  readonly publish?: readonly PublishTo[];
}

/** Where the ledger's checkpoints are published: a file, a folder of tiles, a Git clone, an HTTP endpoint, a C2SP witness and its verifier key; or a timestamp authority, and the folder that its timestamps are kept in. */
export type PublishTo =
  | { readonly file: string }
  | { readonly tiles: string }
  | { readonly git: string }
  | { readonly http: string }
  | { readonly timestamp: string; readonly directory: string }
  | { readonly witness: string; readonly key: string };
