/**
 * Fused multiply-add in WebAssembly: `f64x2.relaxed_madd` is fused where the host's processor has the instruction, which
 * the specification leaves open but fixes for the life of an engine. @spec WebAssembly "Relaxed SIMD"
 */
import { type FunctionBuilder, ModuleBuilder, ValueType } from "../wasm/index.ts";

const { f64 } = ValueType;
const Simd = {
  f32: { splat: 0x13, extractLane: 0x1f, relaxedMadd: 0x105 },
  f64: { splat: 0x14, extractLane: 0x21, relaxedMadd: 0x107 },
} as const;
const LANE = 0;

/** Pushes x × y + z, which `push` pushes by their index. */
export function pushRelaxedFma(b: FunctionBuilder, format: "f32" | "f64", push: (index: number) => void): void {
  for (let index = 0; index < 3; index++) {
    push(index);
    b.simd(Simd[format].splat);
  }
  b.simd(Simd[format].relaxedMadd).simd(Simd[format].extractLane).op(LANE);
}

/** Whether this engine has relaxed SIMD and rounds its multiply-add once. */
export function isMultiplyAddFused(): boolean {
  const module = new ModuleBuilder();
  const probe = module.function([f64, f64, f64], [f64], "probe");
  pushRelaxedFma(probe, "f64", (index) => probe.get(index));
  const bytes = module.finish();
  if (!WebAssembly.validate(bytes)) return false;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // 1 - 2^-60, less 1: rounded in between, nothing is left.
  return (exports.probe as (x: number, y: number, z: number) => number)(1 + 2 ** -30, 1 - 2 ** -30, -1) === -(2 ** -60);
}
