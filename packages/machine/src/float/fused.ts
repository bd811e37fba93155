/**
 * Fused multiply-add in WebAssembly: `f64x2.relaxed_madd` is fused where the host's processor has the instruction, which
 * the specification leaves open but fixes for the life of an engine. @spec WebAssembly "Relaxed SIMD"
 */
import { type FunctionBuilder, ModuleBuilder, ValueType } from "../wasm/index.ts";

const { f64 } = ValueType;
const Simd = { f64x2_splat: 0x14, f64x2_extract_lane: 0x21, f64x2_relaxed_madd: 0x107 } as const;
const LANE = 0;

/** Pushes x × y + z of three locals. */
export function pushRelaxedFma(b: FunctionBuilder, x: number, y: number, z: number): void {
  for (const local of [x, y, z]) b.get(local).simd(Simd.f64x2_splat);
  b.simd(Simd.f64x2_relaxed_madd).simd(Simd.f64x2_extract_lane).op(LANE);
}

/** Whether this engine has relaxed SIMD and rounds its multiply-add once. */
export function isMultiplyAddFused(): boolean {
  const module = new ModuleBuilder();
  const probe = module.function([f64, f64, f64], [f64], "probe");
  pushRelaxedFma(probe, 0, 1, 2);
  const bytes = module.finish();
  if (!WebAssembly.validate(bytes)) return false;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // 1 - 2^-60, less 1: rounded in between, nothing is left.
  return (exports.probe as (x: number, y: number, z: number) => number)(1 + 2 ** -30, 1 - 2 ** -30, -1) === -(2 ** -60);
}
