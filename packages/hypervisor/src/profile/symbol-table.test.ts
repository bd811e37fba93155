import assert from "node:assert/strict";
import { test } from "node:test";
import { SymbolTable } from "./symbol-table.ts";

test("SymbolTable.find: finds what an address lies in, by size or up to the next symbol", () => {
  const table = new SymbolTable([
    { name: "c", address: 0x300n, size: 0x10 },
    { name: "a", address: 0x100n, size: 0 },
    { name: "b", address: 0x200n, size: 0 },
  ]);
  const names = [0xffn, 0x100n, 0x1ffn, 0x200n, 0x30fn, 0x310n].map((address) => table.find(address)?.name);
  assert.deepEqual(names, [undefined, "a", "a", "b", "c", undefined]);
  assert.equal(new SymbolTable([]).find(1n), undefined);
});

test("SymbolTable: keeps the symbol of the highest rank at an address", () => {
  const table = new SymbolTable([
    { name: "alias", address: 1n, size: 4 },
    { name: "name", address: 1n, size: 4, rank: 2 },
    { name: "weak", address: 1n, size: 4, rank: 1 },
  ]);
  assert.equal(table.find(2n)?.name, "name");
  assert.equal(table.size, 1);
});
