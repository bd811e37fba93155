/**
 * The runtime module, whose WebAssembly functions the interpreter and every translated region import: what the hart's
 * call-outs mostly do, carry-less products, and atomics behind the TLB.
 */
import { TlbTag } from "../hart/layout.ts";
import { EXECUTE, READ, WRITE } from "../hart/pmp.ts";
import { type FunctionBuilder, ModuleBuilder, Op, ValueType } from "../wasm/index.ts";
import { emitAtomicAddress, emitAtomics } from "./atomic-access.ts";
import { emitCsr } from "./csr-access.ts";
import { emitFetch, emitLoad, emitPage, emitShortLoad, emitShortStore, emitStore } from "./memory-access.ts";
import { emitPageWalk } from "./page-walk.ts";
import { emitSelect, emitSystem, emitTakeException, emitTrap } from "./privilege.ts";
import { calloutSignatures, type Harts, runtimeSignatures } from "./runtime-functions.ts";

const { i32, i64 } = ValueType;

/**
 * The module's bytes; it imports `env.memory` and the call-outs of the hart. @param mapped whether pages of RAM may not be in
 * memory, see `PAGE_MAP`.
 */
export function runtimeModule(harts: Harts, mapped = false): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("env", "memory", 1);
  const callouts = Object.fromEntries(
    (Object.keys(calloutSignatures) as (keyof typeof calloutSignatures)[]).map((name) => {
      const { parameters, results } = calloutSignatures[name];
      return [name, module.importFunction("hart", name, parameters, results)];
    }),
  ) as Record<keyof typeof calloutSignatures, number>;

  const translate = (emit: (b: FunctionBuilder) => void): number => {
    const b = module.function([i32, i64], [i32]);
    emit(b);
    return b.index;
  };
  const [readWalk, writeWalk, executeWalk] = [READ, WRITE, EXECUTE].map((access) =>
    translate((b) => emitPageWalk(b, access, mapped)),
  ) as [number, number, number];
  const readPage = translate((b) => emitPage(b, TlbTag.read, readWalk));
  const writePage = translate((b) => emitPage(b, TlbTag.write, writeWalk));
  const select = module.function([i32, i32, i32], [i32]);
  emitSelect(select);

  const replace = (name: keyof typeof calloutSignatures) =>
    module.function(calloutSignatures[name].parameters, calloutSignatures[name].results, name);
  const [load, store] = [replace("load"), replace("store")];
  emitLoad(load, readPage, callouts.load);
  emitStore(store, writePage, callouts.store);
  emitFetch(replace("fetch"), executeWalk, callouts.fetch);
  emitCsr(replace("csr"), select.index, callouts.csr);
  const trap = module.function([i32, i32, i64], [i32]);
  emitTrap(trap, select.index);
  emitSystem(replace("system"), { select: select.index, trap: trap.index, writePage, callout: callouts.system });

  const define = (name: string) =>
    module.function(runtimeSignatures[name]!.parameters, runtimeSignatures[name]!.results, name);
  for (const log of [0, 1, 2, 3]) {
    emitShortLoad(define(`load${1 << log}`), log, load.index);
    emitShortStore(define(`store${1 << log}`), log, store.index);
  }
  emitTakeException(define("takeException"), trap.index);
  carrylessMul(define("carrylessMul"), "low");
  carrylessMul(define("carrylessMulHigh"), "high");
  const address = replace("atomicAddress");
  emitAtomicAddress(address, { readPage, writePage, callout: callouts.atomicAddress });
  emitAtomics(define, address.index, harts);
  return module.finish();
}

/** Carry-less product, bit by bit of the second factor. */
function carrylessMul(b: FunctionBuilder, half: "low" | "high"): void {
  const [x, y] = [0, 1];
  const [product, bit] = [b.local(i64), b.local(i64)];
  const done = b.block();
  const next = b.loop();
  b.get(y).op(Op.i64_eqz).brIf(done);
  b.get(y).op(Op.i64_ctz).set(bit);
  b.get(product).get(x).get(bit);
  // The high half of x << bit is x >> (64 - bit); split in two so that bit = 0 gives 0.
  if (half === "low") b.op(Op.i64_shl);
  else b.i64(63n).op(Op.i64_xor).op(Op.i64_shr_u).i64(1n).op(Op.i64_shr_u);
  b.op(Op.i64_xor).set(product);
  b.get(y).get(y).i64(1n).op(Op.i64_sub).op(Op.i64_and).set(y);
  b.br(next).end().end();
  b.get(product);
}
