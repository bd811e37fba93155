import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestMemory, PAGE_SIZE, RAM_BASE } from "../memory.ts";
import { Board, boardMemory } from "./board.ts";
import { CodeWatch } from "./code-watch.ts";

const PAGE = RAM_BASE / PAGE_SIZE + 3;

/** Thread 1 watches; thread 0 has the devices. */
function setUp() {
  const memory = new GuestMemory(0x10000, 3);
  const board = new Board(boardMemory(3, new SharedArrayBuffer(4)));
  const dropped: number[] = [];
  const watch = new CodeWatch(memory, board, 1, (page) => dropped.push(page));
  const store = (at: number): void => {
    memory.bytes[memory.offsetOf(PAGE * PAGE_SIZE + at, 1)]++;
  };
  return { memory, board, dropped, watch, store };
}

test("CodeWatch: lets a page go when the others have left guest code and nothing has changed", () => {
  const { board, dropped, watch } = setUp();
  board.enter(2);
  watch.add(PAGE, 0, 0);
  watch.settle();
  assert.equal(watch.size, 1, "a store of thread 2 may be on its way");
  board.leave(2);
  watch.settle();
  assert.equal(watch.size, 0);
  assert.deepEqual(dropped, []);
});

test("CodeWatch: drops a page that was written meanwhile, at a fence or when it lets it go", () => {
  const { board, dropped, watch, store } = setUp();
  board.enter(2);
  watch.add(PAGE, 0, 0);
  store(100);
  watch.check();
  assert.deepEqual(dropped, [PAGE]);
  watch.check();
  assert.deepEqual(dropped, [PAGE], "what it was changed to is known now");
  store(4095);
  board.leave(2);
  watch.settle();
  assert.deepEqual(dropped, [PAGE, PAGE]);
  assert.equal(watch.size, 0);
});

test("CodeWatch: bytes whose translations are gone may change, others not", () => {
  const { board, dropped, watch, store } = setUp();
  board.enter(2);
  watch.add(PAGE, 0, 0);
  store(64);
  watch.add(PAGE, 64, 8);
  watch.check();
  assert.deepEqual(dropped, []);
  store(63);
  watch.add(PAGE, 64, 8);
  watch.check();
  assert.deepEqual(dropped, [PAGE]);
});

test("CodeWatch: waits for devices too", () => {
  const { board, dropped, watch, store } = setUp();
  board.nextDeviceRound();
  watch.add(PAGE, 0, 0);
  watch.settle();
  assert.equal(watch.size, 1);
  store(0);
  board.nextDeviceRound();
  watch.settle();
  assert.deepEqual([watch.size, dropped], [0, [PAGE]]);
  board.devicesRest();
  watch.add(PAGE, 0, 0);
  watch.settle();
  assert.equal(watch.size, 0);
});
