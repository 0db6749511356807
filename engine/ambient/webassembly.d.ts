// SPDX-License-Identifier: Apache-2.0
// The part of the WebAssembly JavaScript interface that the engine uses. TypeScript declares it only in its browser
// library, which would also bring `window` and its kin into scope.
// https://www.w3.org/TR/wasm-js-api-2/
declare namespace WebAssembly {
  type Value = number | bigint;
  type Function = (...parameters: Value[]) => Value | undefined;
  type Extern = Function | Memory | Table | Global;
  type Exports = Readonly<Record<string, Extern>>;
  type Imports = Record<string, Record<string, Function | Memory | Table | Global>>;

  interface ModuleExportDescriptor {
    readonly name: string;
    readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
  }
  interface ModuleImportDescriptor extends ModuleExportDescriptor {
    readonly module: string;
  }
  interface MemoryDescriptor {
    initial: number;
    maximum?: number;
  }

  class Module {
    constructor(bytes: Uint8Array | ArrayBuffer);
    static imports(module: Module): ModuleImportDescriptor[];
    static exports(module: Module): ModuleExportDescriptor[];
    static customSections(module: Module, name: string): ArrayBuffer[];
    readonly [Symbol.toStringTag]: string;
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  class Memory {
    constructor(descriptor: MemoryDescriptor);
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Table {
    readonly length: number;
    get(index: number): Function | null;
  }
  class Global {
    constructor(descriptor: { value: 'i32' | 'i64' | 'f32' | 'f64'; mutable?: boolean }, value: Value);
    value: Value;
  }
  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  function validate(bytes: Uint8Array): boolean;
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
}
