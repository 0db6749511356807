// SPDX-License-Identifier: Apache-2.0
//
// Builds what the cluster suite runs against, from Go modules, into test/cluster/.build/bin:
//   node test/cluster/build.ts [NAME…]      all programs, or the ones named
import { join } from 'node:path';
import { buildPrograms, exitWithoutGo, type GoProgram } from './go.ts';

const HERE = import.meta.dirname;
const VERSION = 'k8s.io/component-base/version';
const KUBERNETES = [
  ['gitVersion', 'v1.37.2'],
  ['gitMajor', '1'],
  ['gitMinor', '37'],
  ['gitTreeState', 'clean'],
].map(([name, value]) => `-X ${VERSION}.${name}=${value}`);

const PROGRAMS: readonly GoProgram[] = [
  { name: 'etcd', package: './cmd/etcd', directory: HERE },
  { name: 'kube-apiserver', package: './cmd/kube-apiserver', directory: HERE, ldflags: KUBERNETES },
  { name: 'kubectl', package: './cmd/kubectl', directory: HERE, ldflags: KUBERNETES },
  { name: 'cosign', package: 'github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3' },
  { name: 'registry', package: 'github.com/google/go-containerregistry/cmd/registry@v0.20.6' },
];

/** Paths of the built programs. */
export interface ClusterPrograms {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  readonly cosign: string;
  readonly registry: string;
}

/** Builds all programs that are not up to date; ends the process where Go is missing. */
export async function buildCluster(): Promise<ClusterPrograms> {
  exitWithoutGo('which etcd and kube-apiserver are built with');
  const built = await buildPrograms(PROGRAMS, join(HERE, '.build'));
  const path = (name: string): string => built.get(name) ?? '';
  return {
    etcd: path('etcd'),
    kubeApiserver: path('kube-apiserver'),
    kubectl: path('kubectl'),
    cosign: path('cosign'),
    registry: path('registry'),
  };
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !PROGRAMS.some((program) => program.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`no such program: ${unknown.join(', ')}\n`);
    process.exit(2);
  }
  exitWithoutGo('which these programs are built with');
  const wanted = PROGRAMS.filter((program) => names.length === 0 || names.includes(program.name));
  await buildPrograms(wanted, join(HERE, '.build'));
}
