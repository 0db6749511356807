// SPDX-License-Identifier: Apache-2.0

type Graph = ReadonlyMap<number, ReadonlySet<number>>;

interface Visit {
  readonly node: number;
  readonly edges: Iterator<number>;
}

/** The nodes on a cycle of a call graph: Tarjan's strongly connected components, without recursion of its own. */
export function onCycles(graph: Graph): ReadonlySet<number> {
  const search = new Search(graph);
  for (const node of graph.keys()) search.from(node);
  return search.found;
}

class Search {
  readonly found = new Set<number>();
  readonly #graph: Graph;
  readonly #index = new Map<number, number>();
  readonly #low = new Map<number, number>();
  readonly #stack: number[] = [];
  readonly #onStack = new Set<number>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  from(root: number): void {
    if (this.#index.has(root)) return;
    const path = [this.#enter(root)];
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const next = visit.edges.next();
      if (next.done === true) {
        path.pop();
        this.#leave(visit.node, path.at(-1)?.node);
      } else if (!this.#index.has(next.value)) {
        path.push(this.#enter(next.value));
      } else if (this.#onStack.has(next.value)) {
        this.#lower(visit.node, this.#index.get(next.value) ?? 0);
      }
    }
  }

  #enter(node: number): Visit {
    this.#low.set(node, this.#index.size);
    this.#index.set(node, this.#index.size);
    this.#stack.push(node);
    this.#onStack.add(node);
    return { node, edges: (this.#graph.get(node) ?? new Set<number>()).values() };
  }

  #lower(node: number, to: number): void {
    this.#low.set(node, Math.min(this.#low.get(node) ?? to, to));
  }

  #leave(node: number, parent: number | undefined): void {
    const low = this.#low.get(node) ?? 0;
    if (parent !== undefined) this.#lower(parent, low);
    if (low !== this.#index.get(node)) return;
    const component = this.#stack.splice(this.#stack.lastIndexOf(node));
    for (const member of component) this.#onStack.delete(member);
    if (component.length > 1 || this.#graph.get(node)?.has(node) === true)
      for (const member of component) this.found.add(member);
  }
}
