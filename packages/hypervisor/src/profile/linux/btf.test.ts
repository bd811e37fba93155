import assert from "node:assert/strict";
import { test } from "node:test";
import { Bytes } from "../testing/byte-writer.ts";
import { damaged, randomOf } from "../testing/random.ts";
import { Btf } from "./btf.ts";

const [INT, POINTER, ARRAY, STRUCT, UNION, TYPEDEF, CONST, FUNCTION_TYPE] = [1, 2, 3, 4, 5, 8, 10, 13];

/** BTF of a few structures, the way a kernel's looks. */
function sample(): Uint8Array<ArrayBuffer> {
  const strings = new Bytes().text("");
  const name = (text: string): number => {
    const at = strings.length;
    strings.text(text);
    return at;
  };
  const types = new Bytes();
  const type = (text: string, kind: number, parts: number, size: number, bitfields = false) =>
    types.u32(text === "" ? 0 : name(text), (kind << 24) | parts | (bitfields ? 1 << 31 : 0), size);
  const member = (text: string, of: number, bits: number) => types.u32(text === "" ? 0 : name(text), of, bits);
  type("long", INT, 0, 8).u32(64); // 1
  type("", POINTER, 0, 1); // 2
  type("", ARRAY, 0, 0).u32(1, 1, 4); // 3
  type("path", STRUCT, 2, 16); // 4
  member("mnt", 2, 0);
  member("dentry", 2, 64);
  type("path_t", TYPEDEF, 0, 4); // 5
  type("", CONST, 0, 5); // 6
  type("", FUNCTION_TYPE, 1, 1).u32(0, 1); // 7
  type("", UNION, 2, 8); // 8
  member("lru", 1, 0);
  member("index", 1, 0);
  type("", STRUCT, 2, 24, true); // 9
  member("flags", 1, (3 << 24) | 0);
  member("", 8, 64);
  type("file", STRUCT, 3, 64, true); // 10
  member("slots", 3, 0);
  member("", 9, 256);
  member("f_path", 6, 384);
  const header = new Bytes().u16(0xeb9f).u8(1, 0).u32(24, 0, types.length, types.length, strings.length);
  return header.bytes(types.finish()).bytes(strings.finish()).finish();
}

test("Btf.offset: finds members, those of unnamed members, and those behind typedefs and qualifiers", () => {
  const btf = Btf.parse(sample()) ?? assert.fail();
  assert.equal(btf.offset("path", "dentry"), 8);
  assert.equal(btf.offset("file", "slots"), 0);
  assert.equal(btf.offset("file", "flags"), 32);
  assert.equal(btf.offset("file", "index"), 40);
  assert.equal(btf.offset("file", "f_path.dentry"), 56);
  assert.equal(btf.size("file"), 64);
});

test("Btf.offset: gives nothing for what is not there", () => {
  const btf = Btf.parse(sample()) ?? assert.fail();
  assert.equal(btf.offset("file", "f_inode"), undefined);
  assert.equal(btf.offset("inode", "i_ino"), undefined);
  assert.equal(btf.offset("file", "slots.x"), undefined);
  assert.equal(btf.size("long"), undefined);
  assert.equal(Btf.parse(new Uint8Array(10)), undefined);
  assert.equal(Btf.parse(sample().subarray(0, 100)), undefined);
});

test("Btf: never throws, whatever is damaged", () => {
  const random = randomOf("Btf");
  for (let i = 0; i < 3000; i++) {
    const btf = Btf.parse(damaged(sample(), random));
    for (const path of ["index", "f_path.dentry", "x"]) btf?.offset("file", path);
    btf?.size("path");
  }
});
