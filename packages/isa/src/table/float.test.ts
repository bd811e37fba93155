import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decode, disassemble, encode, type Fields, type OracleState, step } from "../index.ts";

const BOX = 0xffff_ffff_0000_0000n;
const CANONICAL = BOX | 0x7fc0_0000n;

function machine(): OracleState {
  const bytes = new Map<bigint, bigint>();
  const memory = {
    load: (_bytes: number, address: bigint) => bytes.get(address) ?? 0n,
    store: (_bytes: number, address: bigint, value: bigint) => void bytes.set(address, value),
  };
  const registers = () => Array<bigint>(32).fill(0n);
  return { x: registers(), f: registers(), pc: 0n, fflags: 0, frm: 0, reservation: undefined, memory };
}

function execute(state: OracleState, name: string, fields: Partial<Fields<number>>) {
  return step(state, decode(encode(name, fields))!);
}

describe("floating-point tables", () => {
  test("decode: floating-point words read as the GNU disassembler prints them", () => {
    const words: [number, string][] = [
      [0x02c58553, "fadd.d fa0, fa1, fa2, rne"],
      [0x68c5f543, "fmadd.s fa0, fa1, fa2, fa3, dyn"],
      [0x6ac5a54f, "fnmadd.d fa0, fa1, fa2, fa3, rdn"],
      [0x20c59553, "fsgnjn.s fa0, fa1, fa2"],
      [0xc235_9553, "fcvt.lu.d a0, fa1, rtz"],
      [0xd21585d3, "fcvt.d.wu fa1, a1, rne"],
      [0x0045_a507, "flw fa0, 4(a1)"],
      [0xfea5bc27, "fsd fa0, -8(a1)"],
      [0xe205_9553, "fclass.d a0, fa1"],
      [0xf208_0553 | (1 << 20), "fli.d fa0, 16"],
      [0xc285_9553, "fcvtmod.w.d a0, fa1, rtz"],
      [0x4225_f553, "fcvt.d.h fa0, fa1, dyn"],
    ];
    for (const [word, text] of words) assert.equal(disassemble(word), text);
  });

  test("decode: refuses reserved floating-point encodings", () => {
    const reserved = [
      encode("fcvtmod.w.d", { rd: 1 }) & ~(7 << 12),
      encode("fsqrt.d", { rd: 1 }) | (1 << 20),
      encode("fadd.s", { rd: 1 }) | (3 << 25),
      encode("fsgnj.d", { rd: 1 }) | (3 << 12),
    ];
    for (const word of reserved) assert.equal(decode(word), undefined, word.toString(16));
  });

  test("fsgnj.s: takes an unboxed operand for the canonical NaN", () => {
    const state = machine();
    [state.f[1], state.f[2], state.f[3]] = [BOX | 0x3f80_0000n, 0x8000_0000n, BOX | 0x8000_0000n];
    execute(state, "fsgnj.s", { rd: 4, rs1: 1, rs2: 3 });
    execute(state, "fsgnj.s", { rd: 5, rs1: 2, rs2: 3 });
    execute(state, "fsgnjn.s", { rd: 6, rs1: 1, rs2: 2 });
    execute(state, "fsgnjx.s", { rd: 7, rs1: 3, rs2: 3 });
    assert.deepEqual(state.f.slice(4, 8), [BOX | 0xbf80_0000n, CANONICAL | 0x8000_0000n, BOX | 0xbf80_0000n, BOX]);
  });

  test("fmv.x.w: moves low bits without looking at the box, and sign-extends them", () => {
    const state = machine();
    state.f[1] = 0x1234_5678_8000_0001n;
    execute(state, "fmv.x.w", { rd: 1, rs1: 1 });
    execute(state, "fmv.x.h", { rd: 2, rs1: 1 });
    execute(state, "fmv.w.x", { rd: 2, rs1: 1 });
    execute(state, "fmv.h.x", { rd: 3, rs1: 1 });
    assert.deepEqual(state.x.slice(1, 3), [0xffff_ffff_8000_0001n, 1n]);
    assert.deepEqual(state.f.slice(2, 4), [BOX | 0x8000_0001n, 0xffff_ffff_ffff_0001n]);
  });

  test("flw: boxes what it loads, and fsw stores the low half", () => {
    const state = machine();
    state.memory.store(4, 16n, 0x4000_0000n);
    execute(state, "flw", { rd: 1, rs1: 0, imm: 16 });
    execute(state, "fsw", { rs2: 1, rs1: 0, imm: 32 });
    execute(state, "flh", { rd: 2, rs1: 0, imm: 48 });
    assert.deepEqual(state.f.slice(1, 3), [BOX | 0x4000_0000n, 0xffff_ffff_ffff_0000n]);
    assert.equal(state.memory.load(4, 32n), 0x4000_0000n);
  });

  test("fnmadd.d: negates the product and subtracts the addend", () => {
    const state = machine();
    const bits = (value: number) => new BigUint64Array(new Float64Array([value]).buffer)[0]!;
    [state.f[1], state.f[2], state.f[3]] = [bits(2), bits(3), bits(10)];
    const names = ["fmadd.d", "fmsub.d", "fnmsub.d", "fnmadd.d"];
    for (const [index, name] of names.entries()) execute(state, name, { rd: 4 + index, rs1: 1, rs2: 2, rs3: 3 });
    assert.deepEqual(state.f.slice(4, 8), [16, -4, 4, -16].map(bits));
  });

  test("fadd.d: an invalid rounding mode is illegal and changes nothing", () => {
    const state = machine();
    state.frm = 5;
    for (const rm of [5, 6, 7]) {
      const event = execute(state, "fadd.d", { rd: 1, rs1: 2, rs2: 3, rm });
      assert.deepEqual(event, { kind: "system", operation: "illegal" });
    }
    assert.equal(state.pc, 0n);
  });
});
